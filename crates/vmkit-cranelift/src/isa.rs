//! What Cranelift compiles for, and with what settings.

use cranelift_codegen::isa::{self, OwnedTargetIsa, TargetIsa};
use cranelift_codegen::settings::{self, Configurable, Flags, SetResult, Value};
use cranelift_module::{ModuleError, ModuleResult};
use vmkit::Error;

/// This processor, with settings, under those that fit how code is linked.
#[expect(clippy::result_large_err, reason = "the error is cranelift_module's")]
pub(crate) fn native(flags: &[(&str, &str)]) -> ModuleResult<OwnedTargetIsa> {
    let mut builder = settings::builder();
    // Addresses come out of slots, and calls go over stubs: nothing need be near.
    let ours = [
        ("is_pic", "true"),
        ("use_colocated_libcalls", "true"),
        ("tls_model", "elf_gd"),
        ("probestack_strategy", "inline"),
    ];
    for (name, value) in ours.iter().chain(flags) {
        builder.set(name, value)?;
    }
    let isa = cranelift_native::builder()
        .map_err(|what| ModuleError::Backend(Error::other(what).into()))?;
    Ok(isa.finish(Flags::new(builder))?)
}

/// The same, but that functions are not verified; none if that cannot be had.
pub(crate) fn unverified(isa: &dyn TargetIsa) -> Option<OwnedTargetIsa> {
    let mut flags = settings::builder();
    set_all(&mut flags, isa.flags().iter()).ok()?;
    flags.set(VERIFIER, "false").ok()?;
    let mut builder = isa::lookup(isa.triple().clone()).ok()?;
    set_all(&mut builder, isa.isa_flags()).ok()?;
    let other = builder.finish(Flags::new(flags)).ok()?;
    let are_same = |ours: &[Value], theirs: &[Value]| {
        ours.iter().map(Value::to_string).eq(theirs.iter().map(Value::to_string))
    };
    (other.name() == isa.name() && are_same(&other.isa_flags(), &isa.isa_flags())).then_some(other)
}

/// Has Cranelift look for mistakes in functions.
const VERIFIER: &str = "enable_verifier";

fn set_all(to: &mut impl Configurable, values: impl IntoIterator<Item = Value>) -> SetResult<()> {
    values.into_iter().try_for_each(|value| to.set(value.name, &value.value_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_verifier_is_off() {
        let set =
            [("opt_level", "speed"), ("regalloc_algorithm", "single_pass"), (VERIFIER, "true")];
        let isa = native(&set).unwrap();
        let other = unverified(&*isa).unwrap();
        assert!(isa.flags().enable_verifier() && !other.flags().enable_verifier());
        let rest = |isa: &dyn TargetIsa| -> Vec<String> {
            let shared = isa.flags().iter().filter(|value| value.name != VERIFIER);
            shared.chain(isa.isa_flags()).map(|value| value.to_string()).collect()
        };
        assert_eq!(rest(&*isa), rest(&*other));
        assert!(rest(&*isa).contains(&"opt_level=speed".to_owned()));
        assert_eq!(isa.triple(), other.triple());
    }
}

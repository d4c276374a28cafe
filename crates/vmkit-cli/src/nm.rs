//! `vmkit nm`: what the modules together define and need.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use vmkit::graph::{Content, Listed, Standing};
use vmkit::{Definer, Error, Linkage, Name, Result, Session, SymbolKind};
use vmkit_llvm::Llvm;

use crate::load::Inputs;
use crate::options::Nm;

/// What stands in place of an address, which there is none of yet.
const DEFINED: &str = "----------------";
const UNDEFINED: &str = "                ";

/// What every module says of a name that all share, by module.
type Claims = Vec<(Arc<str>, Listed)>;

/// Lists the symbols of the modules on standard output.
pub(crate) fn nm(options: &Nm) -> Result<()> {
    vmkit_llvm::contain_crashes();
    let session = Session::builder().whole_process(false).build()?;
    let llvm = Llvm::new(&session, vmkit_llvm::Options::default());
    let mut inputs = Inputs::load(&session, &llvm, &options.modules, &[])?;
    if inputs.archives() == options.modules.len() {
        // Nothing else is there that could need one member and not the other.
        inputs.take_all(&session, &llvm)?;
    }
    let mut listings = llvm.listings()?;
    listings.extend(inputs.objects.iter().map(|object| (object.name().clone(), object.listing())));
    let text = text(&session, listings);
    let written = std::io::stdout().lock().write_all(&text);
    written.map_err(|error| Error::other(format!("standard output: {error}")))
}

/// A line a symbol: those that all modules share once, those that modules keep each by itself.
fn text(session: &Session, listings: Vec<(Arc<str>, Vec<Listed>)>) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut shared: BTreeMap<Name, Claims> = BTreeMap::new();
    for (module, listed) in listings {
        for listed in listed {
            match listed.standing {
                Standing::Private => lines.push((listed.name.clone(), letter(&listed))),
                _ => shared.entry(listed.name.clone()).or_default().push((module.clone(), listed)),
            }
        }
    }
    lines.extend(shared.into_iter().map(|(name, claims)| {
        let letter = shared_letter(session, &name, &claims);
        (name, letter)
    }));
    lines.sort();
    let mut text = Vec::new();
    for (name, letter) in lines {
        let address = if matches!(letter, 'U' | 'w') { UNDEFINED } else { DEFINED };
        text.extend(format!("{address} {letter} ").bytes());
        text.extend(name.bytes());
        text.push(b'\n');
    }
    text
}

/// The letter of the definition that the session took, or of the need for one.
fn shared_letter(session: &Session, name: &Name, claims: &Claims) -> char {
    let definer = session.find_name(name).and_then(|id| session.explain(id).definer);
    let definitions = claims.iter().filter(|(_, listed)| is_definition(listed));
    match definer {
        Some(Definer::Common) => return 'C',
        // Nothing of this process: a value that an object gives a name.
        Some(Definer::Process(value)) if session.library_at(value).is_none() => return 'A',
        _ => {}
    }
    let is_taken = |module: &Arc<str>| definer == Some(Definer::Module(module.clone()));
    // Of aliases the session does not remember the module: a strong one comes first.
    let rank = |(module, listed): &&(Arc<str>, Listed)| {
        (!is_taken(module), listed.standing != Standing::Defined(Linkage::Strong))
    };
    if let Some((_, listed)) = definitions.min_by_key(rank) {
        return letter(listed);
    }
    let is_needed = |(_, listed): &(_, Listed)| listed.standing == Standing::Needed;
    if claims.iter().any(is_needed) { 'U' } else { 'w' }
}

fn is_definition(listed: &Listed) -> bool {
    matches!(listed.standing, Standing::Defined(_))
}

/// The letter of a definition, as POSIX and GNU `nm` have it.
fn letter(listed: &Listed) -> char {
    let is_data = matches!(listed.kind, Some(SymbolKind::Data | SymbolKind::ThreadLocal));
    let letter = match (listed.standing, listed.content) {
        _ if listed.kind == Some(SymbolKind::Indirect) => return 'i',
        (Standing::Defined(Linkage::Weak), _) => return if is_data { 'V' } else { 'W' },
        (Standing::Defined(Linkage::Common), _) => return 'C',
        (_, Content::Code) => 'T',
        (_, Content::Constant) => 'R',
        (_, Content::Data) => 'D',
        (_, Content::Zeros) => 'B',
        (_, Content::Unloaded) => 'N',
    };
    if listed.standing == Standing::Private { letter.to_ascii_lowercase() } else { letter }
}

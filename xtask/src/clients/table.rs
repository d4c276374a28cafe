//! The crates that are tried, and what is changed in them.

/// A crate that uses `cranelift-jit`.
pub(super) struct Client {
    pub(super) package: &'static str,
    pub(super) version: &'static str,
    pub(super) features: &'static str,
    /// What only another version of Cranelift than the crate's asks for, whoever the JIT is: file, old
    /// text, new text.
    pub(super) updates: &'static [Change],
    /// What makes it a client of vmkit-cranelift, beside the line of `cranelift-jit` in its manifest.
    pub(super) changes: &'static [Change],
}

/// File, old text, new text.
pub(super) type Change = (&'static str, &'static str, &'static str);

/// The version of Cranelift that all are tried with.
pub(super) const CRANELIFT: &str = "0.135";

pub(super) const CLIENTS: &[Client] = &[
    Client {
        package: "cranelift-jit",
        version: "0.135.8",
        features: "",
        updates: &[],
        changes: &[],
    },
    Client {
        package: "rbpf",
        version: "0.4.1",
        features: "cranelift",
        updates: &[
            (
                "src/cranelift.rs",
                "InstBuilder, MemFlags,",
                "InstBuilder, MemFlagsData as MemFlags,",
            ),
            (
                "src/cranelift.rs",
                "builder.finalize();",
                "builder.finalize(self.module.target_config());",
            ),
        ],
        changes: &[],
    },
    Client {
        package: "roto",
        version: "0.12.0",
        features: "",
        updates: &[
            (
                "src/codegen/mod.rs",
                "InstBuilder, MemFlags,",
                "InstBuilder, MemFlagsData as MemFlags,",
            ),
            (
                "src/codegen/mod.rs",
                ".global_value(pointer_ty, global_value)",
                ".symbol_value(pointer_ty, global_value)",
            ),
            (
                "src/codegen/mod.rs",
                "self.builder.finalize()",
                "self.builder.finalize(self.module.inner.target_config())",
            ),
        ],
        // It names the crate through the one that gathers Cranelift's.
        changes: &[
            ("src/codegen/mod.rs", "    jit::{JITBuilder, JITModule},\n", ""),
            (
                "src/codegen/mod.rs",
                "use cranelift_codegen::ir::{SigRef, StackSlot};",
                "use cranelift_codegen::ir::{SigRef, StackSlot};\n\
                 use cranelift_jit::{JITBuilder, JITModule};",
            ),
        ],
    },
];

//! `--stats`: what was done, as a table or as JSON.

use vmkit::Stats;
use vmkit_llvm::Times;

/// What the report is about.
pub(crate) struct Report {
    pub(crate) functions_known: u64,
    pub(crate) functions_inlined: u64,
    pub(crate) stats: Stats,
    pub(crate) times: Times,
    pub(crate) total_seconds: f64,
}

impl Report {
    fn counts(&self) -> [(&'static str, u64); 9] {
        let stats = &self.stats;
        [
            ("functions_known", self.functions_known),
            ("functions_compiled", stats.functions_compiled),
            ("functions_failed", stats.functions_failed),
            ("functions_inlined", self.functions_inlined),
            ("code_bytes", stats.code_bytes),
            ("data_bytes", stats.data_bytes),
            ("stubs", stats.stubs),
            ("sites_bound", stats.sites_bound),
            ("sites_on_stubs", stats.sites_on_stubs),
        ]
    }

    fn seconds(&self) -> [(&'static str, f64); 7] {
        [
            ("load", self.times.load),
            ("materialize", self.times.materialize),
            ("optimize", self.times.optimize),
            ("codegen", self.times.codegen),
            ("link", self.stats.link_seconds),
            ("wait", self.stats.wait_seconds),
            ("total", self.total_seconds),
        ]
    }

    /// The report as JSON.
    pub(crate) fn json(&self) -> String {
        let counts = self.counts().map(|(name, count)| format!("  \"{name}\": {count}"));
        let seconds = self.seconds().map(|(name, time)| format!("    \"{name}\": {time:.6}"));
        format!(
            "{{\n{},\n  \"seconds\": {{\n{}\n  }}\n}}\n",
            counts.join(",\n"),
            seconds.join(",\n")
        )
    }

    /// The report as a table.
    pub(crate) fn table(&self) -> String {
        let counts = self
            .counts()
            .map(|(name, count)| format!("{:<20} {count:>12}", name.replace('_', " ")));
        let seconds = self
            .seconds()
            .map(|(name, time)| format!("{:<20} {:>12.3} ms", format!("{name} time"), time * 1e3));
        format!("{}\n{}\n", counts.join("\n"), seconds.join("\n"))
    }
}

//! What a caller is told while files arrive.

/// What a long load is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A file is arriving; called for every chunk.
    Receiving {
        /// Its address.
        url: String,
        /// Bytes so far.
        received: u64,
        /// Bytes in all.
        total: u64,
    },
    /// An attempt failed; another may follow.
    Failed {
        /// Address and reason, in one line.
        reason: String,
    },
}

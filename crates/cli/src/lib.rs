//! Seedbed: the library, re-exported.

//! Trials, records, statistics, reports.

//! Models of tables.

//! Schemas of tables, and tables read by them.

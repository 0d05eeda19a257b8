//! Objects of stores and servers, read by ranges of bytes: `s3://`, `gs://`, `az://`, `http://` and
//! `https://`, by the crate `object_store`.
//!
//! `object` reads; `connect` finds the store that a url names, with the credentials of the
//! environment; `transport` makes the store's HTTP requests; `failure` says what went wrong, without a
//! word that could hold a secret. A program without the feature `object-store` has `absent`.

#[cfg(not(feature = "object-store"))]
mod absent;
#[cfg(feature = "object-store")]
mod connect;
#[cfg(feature = "object-store")]
mod failure;
#[cfg(feature = "object-store")]
mod object;
#[cfg(feature = "object-store")]
mod transport;

#[cfg(not(feature = "object-store"))]
pub(super) use absent::Object;
#[cfg(feature = "object-store")]
pub(super) use object::Object;

//! `gradus serve MODEL [--listen ADDR]`.

use super::predict::{check_noise, check_rejection};
use crate::args::Serve;
use crate::models;
use crate::output::message;
use crate::serve::{self, Limits, Service, Settings};
use gradus::experiment::ModelFile;
use gradus::{Error, Result};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

/// Runs the command.
pub fn run(args: Serve) -> Result<()> {
    if let Some(threads) = args.threads {
        gradus::set_threads(threads.get());
    }
    let ModelFile { model, path, .. } = models::open(&args.model)?;
    super::warn_of_nan(&model, &path);
    check_noise(&model, &args.model, args.mc_samples)?;
    check_rejection(&model, args.reject_below)?;
    let body = usize::try_from(args.max_body).unwrap_or(usize::MAX);
    let limits = Limits {
        batch: args.max_batch.get(),
        rows: args.max_rows.get(),
        body: body.saturating_mul(1_000_000),
        connections: args.max_connections,
        time: Duration::from_secs(args.timeout.into()),
    };
    let settings = Settings {
        samples: args.mc_samples.map(|samples| samples.get()),
        reject_below: args.reject_below,
        limits,
    };
    let service = Service::new(model, &name(&args.model), settings)?;
    let bound = TcpListener::bind(&args.listen).and_then(|listener| {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        Ok((listener, address))
    });
    let (listener, address) = bound.map_err(|cause| {
        let expected = format!("an address and port that can be listened on ({cause})");
        Error::invalid("--listen", format!("`{}`", args.listen), expected)
    })?;
    if !address.ip().is_loopback() {
        message(&format!(
            "warning: {address} can be reached from other machines, without a password or TLS"
        ));
    }
    let takes = service.describe(&address.to_string())?;
    let ready = format!("http://{address} serves {}\n{takes}", path.display());
    serve::run(service, listener, &ready)
}

/// The model's name in paths: the file's without its ending or the run folder's, in letters that
/// need no escapes.
fn name(given: &Path) -> String {
    let given = given.canonicalize().unwrap_or_else(|_| given.to_owned());
    let name = match given.is_dir() {
        true => given.file_name(),
        false => given.file_stem(),
    };
    let name = name.unwrap_or_default().to_string_lossy();
    let allowed = |c: char| match c.is_ascii_alphanumeric() || "._-".contains(c) {
        true => c,
        false => '_',
    };
    match name.is_empty() {
        true => "model".to_owned(),
        false => name.chars().map(allowed).collect(),
    }
}

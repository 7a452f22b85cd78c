//! Runs a WASI command on the interpreter of Silverfir-nano.

use minivm_bench_runners::{command, fail};
use sf_nano_core::wasi::{wasi_imports, WasiContextBuilder};
use sf_nano_core::{Config, Engine, Instance, Tier};

fn main() {
    let command = command();
    let mut wasi = WasiContextBuilder::new().args(&command.args);
    for (name, value) in &command.env {
        wasi = wasi.env(name, value);
    }
    for (host, guest) in &command.dirs {
        wasi = wasi.preopen_dir(guest, host);
    }
    let engine = Engine::new(Config::new().tier(Tier::Interp)).unwrap_or_else(|error| fail(&error.to_string()));
    let result = Instance::new(&engine, &command.module, &wasi_imports(wasi.build()))
        .map_err(|error| error.to_string())
        .and_then(|mut instance| match instance.invoke("_start", &[]) {
            Err(error) if error.is_exit() => std::process::exit(error.exit_code().unwrap_or(0)),
            Err(error) => Err(error.to_string()),
            Ok(_) => Ok(()),
        });
    if let Err(message) = result {
        fail(&message);
    }
}

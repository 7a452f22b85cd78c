//! Runs a WASI command on wasmi. The variable WASMI_MODE (eager, lazy) chooses when code is
//! translated and validated; the default validates at once and translates at the first call.

use minivm_bench_runners::{command, fail};
use wasmi::{CompilationMode, Config, Engine, Linker, Module, Store};
use wasmi_wasi::{ambient_authority, Dir, WasiCtxBuilder};

fn main() {
    let mut config = Config::default();
    match std::env::var("WASMI_MODE").as_deref() {
        Ok("eager") => config.compilation_mode(CompilationMode::Eager),
        Ok("lazy") => config.compilation_mode(CompilationMode::Lazy),
        _ => &mut config,
    };
    let command = command();
    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stdio();
    for arg in &command.args {
        wasi.arg(arg).unwrap_or_else(|error| fail(&error.to_string()));
    }
    for (name, value) in &command.env {
        wasi.env(name, value).unwrap_or_else(|error| fail(&error.to_string()));
    }
    for (host, guest) in &command.dirs {
        let dir = Dir::open_ambient_dir(host, ambient_authority()).unwrap_or_else(|error| fail(&error.to_string()));
        wasi.preopened_dir(dir, guest).unwrap_or_else(|error| fail(&error.to_string()));
    }

    let engine = Engine::new(&config);
    let module = Module::new(&engine, &command.module[..]).unwrap_or_else(|error| fail(&error.to_string()));
    let mut store = Store::new(&engine, wasi.build());
    let mut linker = Linker::new(&engine);
    wasmi_wasi::add_to_linker(&mut linker, |wasi| wasi).unwrap_or_else(|error| fail(&error.to_string()));
    let result = linker
        .instantiate_and_start(&mut store, &module)
        .and_then(|instance| instance.get_typed_func::<(), ()>(&store, "_start"))
        .and_then(|start| start.call(&mut store, ()));
    if let Err(error) = result {
        match error.i32_exit_status() {
            Some(status) => std::process::exit(status),
            None => fail(&error.to_string()),
        }
    }
}

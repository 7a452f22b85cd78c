//! What the runners share: `[--dir HOST[::GUEST]] [--env K=V] MODULE [ARGS…]`.

pub struct Command {
    pub dirs: Vec<(String, String)>,
    pub env: Vec<(String, String)>,
    pub module: Vec<u8>,
    pub args: Vec<String>,
}

fn pair(text: &str, separator: &str) -> (String, String) {
    let (a, b) = text.split_once(separator).unwrap_or((text, text));
    (a.into(), b.into())
}

pub fn command() -> Command {
    let (mut dirs, mut env) = (Vec::new(), Vec::new());
    let mut words = std::env::args().skip(1).peekable();
    while let Some(option) = words.next_if(|word| word.starts_with("--")) {
        let value = words.next().unwrap_or_default();
        match option.as_str() {
            "--dir" => dirs.push(pair(&value, "::")),
            "--env" => env.push(pair(&value, "=")),
            _ => fail(&format!("unknown option {option}")),
        }
    }
    let args: Vec<String> = words.collect();
    let path = args.first().unwrap_or_else(|| fail("no module given"));
    let module = std::fs::read(path).unwrap_or_else(|error| fail(&format!("{path}: {error}")));
    Command { dirs, env, module, args }
}

pub fn fail(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(134)
}

//! Rust's standard library under WASI: collections, iterators, formatting, files, environment, a process that ends with a
//! status of its own.
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::fs;
use std::io::{self, BufRead, Read, Write};

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let text = fs::read_to_string(&args[0])?;
    let mut words: HashMap<String, usize> = HashMap::new();
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()) {
        *words.entry(word.to_lowercase()).or_default() += 1;
    }
    let mut heap: BinaryHeap<(usize, std::cmp::Reverse<&str>)> =
        words.iter().map(|(w, n)| (*n, std::cmp::Reverse(w.as_str()))).collect();
    for _ in 0..5 {
        let (count, word) = heap.pop().unwrap();
        println!("{count:>4} {}", word.0);
    }

    let letters = text.chars().filter(|c| c.is_alphabetic()).fold(BTreeMap::new(), |mut map, c| {
        *map.entry(c.to_ascii_lowercase()).or_insert(0u32) += 1;
        map
    });
    println!("{:?}", letters.iter().max_by_key(|(_, n)| **n));

    let mut total = 0i64;
    for line in io::stdin().lock().lines() {
        match line?.trim().parse::<i64>() {
            Ok(number) => total = total.checked_mul(3).and_then(|t| t.checked_add(number)).unwrap_or(i64::MAX),
            Err(error) => println!("{error}"),
        }
    }
    println!("{total} {:e} {:.3}", 1234.5f64, 2f64.sqrt());

    let path = format!("{}/copy.txt", args[1]);
    let mut file = fs::OpenOptions::new().create(true).append(true).open(&path)?;
    writeln!(file, "{}", text.len())?;
    writeln!(file, "{:?}", std::env::var("NAME"))?;
    drop(file);
    let mut copy = String::new();
    fs::File::open(&path)?.read_to_string(&mut copy)?;
    print!("{copy}");
    let mut names: Vec<_> = fs::read_dir(&args[1])?.map(|e| e.unwrap().file_name()).collect();
    names.sort();
    println!("{names:?} {:?}", fs::metadata(&path)?.len());
    println!("{:?}", fs::File::open("/etc/passwd").map_err(|e| e.kind()).err());
    std::process::exit(words.len() as i32 % 100);
}

//! What the API costs: a token from memory against a route that answers the same from a constant, and a request
//! through the proxy against the same request sent directly, and through nginx. All servers are processes of their
//! own on the same cores, and are asked in turn.
//!
//! `cargo bench -p e2e --bench serving`. `KEEPFRESH_BENCH_SECONDS` sets the length of each part.

#![expect(clippy::unwrap_used, reason = "a benchmark may fail loudly")]
#![expect(clippy::print_stdout, reason = "figures go to standard output")]
#![expect(clippy::disallowed_methods, reason = "how long it runs is no secret")]
#![expect(clippy::cast_precision_loss, reason = "figures have three digits")]

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::routing::{get, post};
use e2e::daemon::{Daemon, wait_until};
use e2e::stage::Stage;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Callers at once, each on a connection that it keeps.
const CALLERS: usize = 16;

/// How often each part is measured. Others use the machine, so what is compared is measured in turn, and the median
/// of the rounds counts.
const ROUNDS: usize = 7;

/// A body that is large for memory and small for a test.
const LARGE: u64 = 256 << 20;

/// In the environment of this program when it is the bare server: what it answers.
const BARE: &str = "KEEPFRESH_BENCH_BARE";

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match std::env::var(BARE) {
        Ok(body) => runtime.block_on(serve_bare(body)),
        Err(_) => runtime.block_on(measure()),
    }
}

/// A route with a constant, and what a provider's API does.
async fn serve_bare(body: String) {
    let body = Bytes::from(body);
    let piece = Bytes::from(vec![b'x'; 64 << 10]);
    let large = move || {
        let piece = piece.clone();
        let pieces =
            (0..LARGE >> 16).map(move |_| Ok::<_, std::convert::Infallible>(piece.clone()));
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        async move { ([(CONTENT_LENGTH, LARGE.to_string())], body) }
    };
    let same = move || {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, "application/json")], body) }
    };
    let router = Router::new()
        .route("/same", get(same.clone()))
        .route("/same", post(same))
        .route("/large", get(large));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

/// A process that ends with this one.
struct Server(Child, SocketAddr);

impl Drop for Server {
    fn drop(&mut self) {
        // Asked to end, because nginx has children of its own.
        if let Some(process) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(process, Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

fn bare(body: &str) -> Server {
    use std::io::BufRead as _;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(BARE, body)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Server(child, line.trim().parse().unwrap())
}

async fn measure() {
    let seconds = std::env::var("KEEPFRESH_BENCH_SECONDS").ok().and_then(|it| it.parse().ok());
    let length = Duration::from_secs(seconds.unwrap_or(2));
    let api = bare(&format!("{{\"data\":\"{}\"}}", "x".repeat(1000)));
    let proxy =
        format!("proxy = {{ to = [\"http://{}/\"], methods = [\"GET\", \"POST\"] }}", api.1);
    let stage = Stage::eskiz(&proxy).logged_in();
    let manifest = std::fs::read_to_string(stage.home.path("keepfresh.toml")).unwrap();
    stage.home.write_manifest(&format!("[server]\nlisten = \"127.0.0.1:0\"\n\n{manifest}"));
    let daemon = stage.home.serve();
    let address = address(&daemon);
    let key = stage.home.run(&["api-key", "create", "bench", "--scope", "token:read"]).stdout;
    let key = format!("authorization: Bearer {}\r\n", key.trim());
    println!("memory of the daemon, idle            {:>8.1} MiB", resident(daemon.pid()));
    tokens(address, &key, length).await;
    passing(address, &key, api.1, stage.home.path("nginx").as_path(), length).await;
    println!("memory of the daemon, afterwards      {:>8.1} MiB", resident(daemon.pid()));
}

/// A token from memory against the same answer from a constant.
async fn tokens(keepfresh: SocketAddr, key: &str, length: Duration) {
    let get =
        |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n");
    let token = get("/api/v1/connections/eskiz/token?min_ttl=60", key);
    let body = once(keepfresh, &token).await;
    let constant = bare(&body);
    let asked = [(constant.1, get("/same", "")), (keepfresh, token)];
    let rounds = in_turn(asked, CALLERS, length).await;
    let (bare, token) = (median(&rounds, |it| it[0]), median(&rounds, |it| it[1]));
    let ratio = |it: &[f64; 2]| it[1] / it[0];
    println!("a bare route with the same body       {bare:>8.0} requests/s, {CALLERS} callers");
    println!("GET token                             {token:>8.0} requests/s");
    println!(
        "ratio                                 {:>8.3} (goal: at least 0.7)",
        median(&rounds, ratio)
    );
    println!("ratio in each round                   {}", list(&rounds, ratio));
}

/// A request through the proxy against the same one sent directly, and through nginx.
async fn passing(
    keepfresh: SocketAddr,
    key: &str,
    api: SocketAddr,
    folder: &Path,
    length: Duration,
) {
    let nginx = nginx(folder, api);
    let there = nginx.as_ref().map_or(api, |it| it.1);
    let get = |path: &str| {
        let line = |base: &str, more: &str| {
            format!("GET {base}{path} HTTP/1.1\r\nhost: localhost\r\n{more}\r\n")
        };
        [(api, line("", "")), (there, line("", "")), (keepfresh, line("/proxy/eskiz", key))]
    };
    let rounds = in_turn(get("/same"), CALLERS, length).await;
    let rate = |of: usize| median(&rounds, |it| it[of]);
    let ratio_to = |of: usize| median(&rounds, |it| it[2] / it[of]);
    println!(
        "1 KiB from the API, directly          {:>8.0} requests/s, {CALLERS} callers",
        rate(0)
    );
    println!("through the proxy                     {:>8.0} requests/s", rate(2));
    println!("ratio to the direct request           {:>8.3}", ratio_to(0));
    if nginx.is_some() {
        println!("through nginx, one worker for a core  {:>8.0} requests/s", rate(1));
        println!("ratio to nginx                        {:>8.3}", ratio_to(1));
    }
    let mut rates = Vec::new();
    for (address, request) in get("/large") {
        rates.push(download(address, &request).await);
    }
    println!("{} MiB from the API, directly        {:>8.0} MiB/s", LARGE >> 20, rates[0]);
    println!("through the proxy                     {:>8.0} MiB/s", rates[2]);
    if nginx.is_some() {
        println!("through nginx                         {:>8.0} MiB/s", rates[1]);
    }
}

/// nginx in front of `api`, with a token in a header, if it is installed.
fn nginx(folder: &Path, api: SocketAddr) -> Option<Server> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?;
    std::fs::create_dir_all(folder).ok()?;
    let mut conf = String::new();
    let _ = write!(
        conf,
        "daemon off; worker_processes auto; pid {0}/pid; error_log {0}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c;
  uwsgi_temp_path {0}/d; scgi_temp_path {0}/e; keepalive_requests 100000000;
  upstream api {{ server {api}; keepalive 64; }}
  server {{ listen {port}; location / {{
    proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection \"\";
    proxy_set_header Authorization \"Bearer a-token\"; }} }}
}}
",
        folder.display()
    );
    std::fs::write(folder.join("nginx.conf"), conf).ok()?;
    let child = Command::new("nginx")
        .args(["-c", folder.join("nginx.conf").to_str()?, "-p", folder.to_str()?])
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = child else {
        println!("not compared with nginx: install it (apt-get install nginx-light)");
        return None;
    };
    let server = Server(child, port);
    wait_until("nginx listens", || std::net::TcpStream::connect(port).is_ok());
    Some(server)
}

/// The rate of each in each round, asked in turn.
async fn in_turn<const N: usize>(
    all: [(SocketAddr, String); N],
    callers: usize,
    length: Duration,
) -> Vec<[f64; N]> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut rates = [0.0; N];
        for (rate, (address, request)) in rates.iter_mut().zip(&all) {
            *rate = load(*address, request, callers, length).await;
        }
        rounds.push(rates);
    }
    rounds
}

/// The median of what `figure` makes of each round.
fn median<T>(rounds: &[T], figure: impl Fn(&T) -> f64) -> f64 {
    let mut all = rounds.iter().map(figure).collect::<Vec<_>>();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// What `figure` makes of each round.
fn list<T>(rounds: &[T], figure: impl Fn(&T) -> f64) -> String {
    rounds.iter().map(|it| format!("{:.2}", figure(it))).collect::<Vec<_>>().join(" ")
}

/// Requests in a second by so many callers.
async fn load(address: SocketAddr, request: &str, callers: usize, length: Duration) -> f64 {
    let begun = Instant::now();
    let callers = (0..callers).map(|_| {
        let request = request.to_owned();
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (mut buffer, mut count) = (Vec::with_capacity(1 << 16), 0_u64);
            while begun.elapsed() < length {
                stream.write_all(request.as_bytes()).await.unwrap();
                answer(&mut stream, &mut buffer).await;
                count += 1;
            }
            count
        })
    });
    let mut count = 0;
    for caller in callers.collect::<Vec<_>>() {
        count += caller.await.unwrap();
    }
    count as f64 / begun.elapsed().as_secs_f64()
}

/// Reads one answer with a length, and leaves its body in `buffer`.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    buffer.clear();
    loop {
        assert!(stream.read_buf(buffer).await.unwrap() > 0, "{}", String::from_utf8_lossy(buffer));
        let Some(end) = buffer.windows(4).position(|it| it == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).unwrap();
        assert!(head.contains(" 200 "), "{head}");
        let length = head.lines().find_map(|it| {
            let (name, value) = it.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
        });
        let whole = end + 4 + length.unwrap_or_else(|| panic!("no length: {head}"));
        while buffer.len() < whole {
            assert!(stream.read_buf(buffer).await.unwrap() > 0);
        }
        buffer.drain(..end + 4);
        return;
    }
}

async fn once(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = Vec::new();
    answer(&mut stream, &mut buffer).await;
    String::from_utf8(buffer).unwrap()
}

/// MiB in a second of one large answer; the median of some.
async fn download(address: SocketAddr, request: &str) -> f64 {
    let mut rates = Vec::new();
    let mut buffer = vec![0; 1 << 20];
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut came = 0_u64;
        while came < LARGE {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "it broke off after {came} bytes");
            came += read as u64;
        }
        rates.push((LARGE >> 20) as f64 / begun.elapsed().as_secs_f64());
    }
    median(&rates, |it| *it)
}

fn address(daemon: &Daemon) -> SocketAddr {
    let mut found = None;
    wait_until("it listens", || {
        let log = daemon.log();
        let said = log.split_once("the HTTP API listens at http://").map(|(_, it)| it.to_owned());
        found = said.and_then(|it| it.split_whitespace().next()?.parse().ok());
        found.is_some()
    });
    found.unwrap()
}

/// Memory of a process in MiB.
fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}

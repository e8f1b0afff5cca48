//! As much of HTTP/1.1 as a client needs that sends forms on a connection which stays open. It reads bytes and does not
//! know what they ask for. By hand, because what the provider takes of the processor is missing to those who race.

/// No head is longer.
const LONGEST_HEAD: usize = 16 << 10;

/// A whole request.
#[derive(Default)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) content_type: &'a str,
    pub(super) authorization: Option<&'a str>,
    pub(super) body: &'a str,
    /// Whether another one may follow on the connection.
    pub(super) stays: bool,
    /// How many bytes it is.
    pub(super) length: usize,
}

/// What is no request.
pub(super) struct Malformed;

/// The request that these bytes begin with; nothing while some of it has not come.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Request<'_>>, Malformed> {
    let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else {
        return if bytes.len() < LONGEST_HEAD { Ok(None) } else { Err(Malformed) };
    };
    let (mut request, body_length) = head(text(&bytes[..end])?)?;
    request.length = end + 4 + body_length;
    let Some(body) = bytes.get(end + 4..request.length) else { return Ok(None) };
    request.body = text(body)?;
    Ok(Some(request))
}

/// A request without its body, and how long that is.
fn head(text: &str) -> Result<(Request<'_>, usize), Malformed> {
    let mut lines = text.split("\r\n");
    let first = lines.next().and_then(|it| it.strip_suffix(" HTTP/1.1")).ok_or(Malformed)?;
    let (method, path) = first.split_once(' ').ok_or(Malformed)?;
    let mut request = Request { method, path, stays: true, ..Request::default() };
    let mut length = 0;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(Malformed)?;
        let (value, is) = (value.trim(), |it: &str| name.eq_ignore_ascii_case(it));
        if is("content-length") {
            length = value.parse().map_err(|_| Malformed)?;
        } else if is("content-type") {
            request.content_type = value;
        } else if is("authorization") {
            request.authorization = Some(value);
        } else if is("connection") {
            request.stays = !value.eq_ignore_ascii_case("close");
        }
    }
    Ok((request, length))
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

//! An address with a query, for a browser. Requests of the plugin itself name their query apart,
//! and the host encodes it.

use std::fmt::Write as _;

/// `base` with the parameters added, each name and value percent-encoded. A query that `base` has
/// already stays.
pub fn with_query<'p>(
    base: &str,
    parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
) -> String {
    let mut address = base.to_owned();
    let mut separator = if base.contains('?') { '&' } else { '?' };
    for (name, value) in parameters {
        address.push(separator);
        encode(&mut address, name);
        address.push('=');
        encode(&mut address, value);
        separator = '&';
    }
    address
}

fn encode(address: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(address, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_can_become_a_parameter_of_its_own() {
        let pairs = [("scope", "a b&c=d"), ("redirect_uri", "http://127.0.0.1:1/x?y#é")];
        let query = "scope=a%20b%26c%3Dd&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fx%3Fy%23%C3%A9";
        assert_eq!(
            with_query("https://a.example/auth", pairs),
            format!("https://a.example/auth?{query}")
        );
    }

    #[test]
    fn a_query_that_is_there_stays() {
        let address = with_query("https://a.example/auth?tenant=1", [("x", "2")]);
        assert_eq!(address, "https://a.example/auth?tenant=1&x=2");
    }
}

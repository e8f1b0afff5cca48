//! Key pairs for clients that sign. Made for the tests, and good for nothing else.

/// Signs with ES256. PKCS#8 in PEM, as a plugin's secret would be.
pub const ES256_PRIVATE: &str = include_str!("../../keys/es256.pem");

/// Fits [`ES256_PRIVATE`].
pub const ES256_PUBLIC: &str = include_str!("../../keys/es256.pub.pem");

/// Signs with RS256. PKCS#8 in PEM, as a plugin's secret would be.
pub const RS256_PRIVATE: &str = include_str!("../../keys/rs256.pem");

/// Fits [`RS256_PRIVATE`].
pub const RS256_PUBLIC: &str = include_str!("../../keys/rs256.pub.pem");

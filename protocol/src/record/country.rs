//! Country codes: ISO 3166-1 alpha-2. Codes are stored; names belong to those who show them, since some are political.
//!
//! A list in data form rather than a crate: those there are either want a newer compiler than ours, or bring names and
//! enums that would make a code of next year unsayable. A code that is not here is kept with a warning.

/// The 249 codes that are officially assigned, in order.
pub const COUNTRIES: [&str; 249] = [
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB", "BD",
    "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY", "BZ", "CA",
    "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE",
    "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA",
    "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK",
    "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP",
    "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT",
    "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS",
    "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ",
    "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS",
    "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST",
    "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW",
    "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA",
    "ZM", "ZW",
];

/// Whether `code` is assigned, or is one that the standard leaves to its users (AA, QM to QZ, XA to XZ, ZZ) for what has
/// none: an international body, Kosovo (XK), an invented country of an exercise.
pub fn is_country(code: &str) -> bool {
    let is_free = match code.as_bytes() {
        b"AA" | b"ZZ" => true,
        [b'Q', second] => (b'M'..=b'Z').contains(second),
        [b'X', second] => second.is_ascii_uppercase(),
        _ => false,
    };
    is_free || COUNTRIES.binary_search(&code).is_ok()
}

/// Three letters as ISO 4217 spells currencies. Which there are changes every year, so the shape alone is looked at.
pub fn looks_like_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(COUNTRIES.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(COUNTRIES.iter().all(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())));
    }

    #[test]
    fn assigned_codes_and_those_left_to_users() {
        for code in ["IT", "TN", "PS", "LY", "AG", "SR", "XK", "XA", "QM", "ZZ"] {
            assert!(is_country(code), "{code}");
        }
        for code in ["", "it", "UK", "EL", "EU", "YU", "QL", "ITA", "I", "1T", "\u{130}T"] {
            assert!(!is_country(code), "{code}");
        }
    }

    #[test]
    fn currencies_by_their_shape() {
        assert!(looks_like_currency("EUR") && !looks_like_currency("eur") && !looks_like_currency("€"));
    }
}

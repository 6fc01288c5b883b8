//! The certificate as a page of A4, to be signed by hand.

use maud::{html, Markup};
use psephos_protocol::{certificate::Certificate, ids::Digest};
use psephos_verifier::{
    html::{name, number, page as whole},
    Report,
};
use qrcodegen_no_heap::Version;
use std::fmt;

use crate::qr::{self, QUIET};

/// The largest QR code: the digests are some 500 bytes.
const QR_VERSION: Version = Version::new(20);
/// Characters of eight groups of digits.
const LINE: usize = 39;
/// Lines for signatures.
const SIGNATURES: usize = 5;

/// Hexadecimal digits in groups of four, as people compare them.
pub(super) fn groups(digits: &str) -> String {
    let groups: Vec<String> =
        digits.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into()).collect();
    groups.join(" ")
}

/// The page. `file` is the name of the record's file.
pub(super) fn page(report: &Report, certificate: &Certificate, file: &str) -> Result<String, fmt::Error> {
    let statement = &certificate.statement;
    let title = report.title.as_deref().unwrap_or_default();
    let (key, signature) = (certificate.key.fingerprint(), certificate.signature_digest());
    let digest = |label: &str, digest: &Digest| {
        let digits = groups(&digest.to_string());
        // In two lines of eight groups.
        let (first, second) = digits.split_at_checked(LINE).unwrap_or((&digits, ""));
        html! { dt { (label) } dd { code { span { (first) } " " span { (second.trim_start()) } } } }
    };
    let body = html! {
        div.sheet {
            header { p.kind { "Certificate of an election record" } h1 { (name(title)) } }
            main {
                @if report.rehearsal.is_some() { p.banner { strong { "REHEARSAL." } " It counts for nothing." } }
                p {
                    "The election’s board certified the result of this election. The file with this SHA-256 "
                    "is its record; it was verified, up to block " (number(statement.last.number.into()))
                    ", with " (number(report.counted.into())) " ballots that count."
                }
                dl {
                    dt { "File" } dd { (name(file)) }
                    (digest("SHA-256 of the file", &statement.record))
                    (digest("Digest of the result", &statement.result))
                    (digest("Election", &Digest(statement.eid.0)))
                    (digest("Chain", &Digest(statement.genesis.0)))
                    (digest("Last block", &Digest(statement.last.hash)))
                    (digest("Key’s fingerprint", &key))
                    (digest("SHA-256 of the signature", &signature))
                }
                div.beside {
                    (code(&[
                        ("sha256", &statement.record),
                        ("result", &statement.result),
                        ("election", &Digest(statement.eid.0)),
                        ("key", &key),
                        ("signature", &signature),
                    ])?)
                    div {
                        h2 { "How to check it" }
                        p { "Compare the SHA-256 above with that of the file that you were given:" }
                        p { code { "sha256sum RECORD" } }
                        p {
                            "Compare the key’s fingerprint with the one that was printed before the "
                            "election, and let the program check record and signature:"
                        }
                        p { code { "psephos-verify RECORD --certificate-key FINGERPRINT" } }
                        p {
                            "The signature is SLH-DSA-SHAKE-192s (FIPS 205). It rests on hash functions "
                            "alone, so that it holds when the other signatures of the record can be forged. "
                            "This page holds without it, by the hands that signed it."
                        }
                    }
                }
                table.sign {
                    thead {
                        tr { th scope="col" { "Name" } th scope="col" { "Signature" } th scope="col" { "Place and date" } }
                    }
                    tbody { @for _ in 0..SIGNATURES { tr { td {} td {} td {} } } }
                }
            }
        }
    };
    Ok(whole(&format!("Certificate: {title}"), &body))
}

/// The digests as a QR code: lines of a word and 64 digits.
fn code(digests: &[(&str, &Digest)]) -> Result<Markup, fmt::Error> {
    let lines: Vec<String> = digests.iter().map(|(what, digest)| format!("{what} {digest}")).collect();
    qr::encode(&lines.join("\n"), QR_VERSION, |code| {
        let mut path = String::new();
        qr::path(code, &mut path)?;
        let side = code.size() + 2 * QUIET;
        Ok(html! {
            svg.qr role="img" aria-label="The digests of this page as a QR code"
                viewBox=(format!("{} {} {side} {side}", -QUIET, -QUIET)) shape-rendering="crispEdges" {
                rect x=(-QUIET) y=(-QUIET) width=(side) height=(side) fill="#fff" {}
                path fill="#000" d=(path) {}
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use psephos_protocol::certificate::{CertificateKey, Statement};
    use rand_core::OsRng;
    use std::collections::BTreeSet;

    fn sheet(title: &str) -> (Certificate, String) {
        let record = include_str!("../../../../../docs/vectors/records.json");
        let records: serde_json::Value = serde_json::from_str(record).unwrap();
        let record = hex::decode(records[0]["record"].as_str().unwrap()).unwrap();
        let mut report = psephos_verifier::verify(record.as_slice(), &Default::default()).unwrap();
        let statement: Statement = super::super::statement(&report).unwrap();
        let certificate =
            Certificate::sign(statement, &CertificateKey::generate(&mut OsRng), &mut OsRng).unwrap();
        report.title = Some(title.into());
        let page = page(&report, &certificate, "record & <b>.psephos").unwrap();
        (certificate, page)
    }

    /// What a scanner reads in the page's code.
    fn scanned(page: &str) -> String {
        let path = page.split_once(r##"<path fill="#000" d=""##).unwrap().1.split_once('"').unwrap().0;
        let mut dark = BTreeSet::new();
        for run in path.split('z').filter(|run| !run.is_empty()) {
            let (start, length) = run.strip_prefix('M').unwrap().split_once('h').unwrap();
            let (x, y) = start.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = length.split_once('v').unwrap().0.parse().unwrap();
            dark.extend((x..x + length).map(|x| (x, y)));
        }
        let size = dark.iter().map(|(x, _)| x + 1).max().unwrap();
        let grid = rqrr::SimpleGrid::from_func(size, |x, y| dark.contains(&(x, y)));
        rqrr::Grid::new(grid).decode().unwrap().1
    }

    /// Whether the page has a digest in its lines of groups.
    fn says(page: &str, digest: &Digest) -> bool {
        let line = |half: &[u8; 16]| groups(&hex::encode(half));
        let (first, second) = (digest.0[..16].try_into().unwrap(), digest.0[16..].try_into().unwrap());
        page.contains(&format!("<span>{}</span> <span>{}</span>", line(first), line(second)))
    }

    #[test]
    fn the_page_says_in_text_and_in_the_code_what_the_certificate_says() {
        let (certificate, page) = sheet("City council");
        let code = scanned(&page);
        let digests = [
            certificate.statement.record,
            certificate.statement.result,
            Digest(certificate.statement.eid.0),
            certificate.key.fingerprint(),
            certificate.signature_digest(),
        ];
        for digest in digests {
            assert!(says(&page, &digest), "{digest}");
            assert!(code.contains(&digest.to_string()), "{digest}");
        }
        assert!(says(&page, &Digest(certificate.statement.last.hash)));
        assert_eq!(code.lines().count(), digests.len());
    }

    #[test]
    fn titles_and_file_names_stay_text() {
        let (_, page) = sheet("</style><script>alert(1)</script>\u{202e}\u{0}");
        assert!(page.contains("&lt;/style&gt;&lt;script&gt;"));
        assert!(!page.contains("<script") && !page.contains('\u{202e}') && !page.contains('\u{0}'));
        assert!(page.contains("record &amp; &lt;b&gt;.psephos"));
    }
}

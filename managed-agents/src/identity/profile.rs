//! The two kinds of X.509 certificates that there are (RFC 5280, RFC 8410, SPIFFE X.509-SVID), field by field, and their DER.

use super::der::{self, Reader, explicit, implicit, value};
use super::{KeyId, Moment, PassportId, PublicKey, TrustDomain};
use crate::call::AgentId;

const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SERIAL_NUMBER: &[u8] = &[0x55, 0x04, 0x05];
const SUBJECT_KEY: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x1e];
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
const EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const CLIENT: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02];

/// Everything that differs from one certificate to another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Profile {
    pub(super) serial: [u8; 16],
    pub(super) issuer: KeyId,
    pub(super) begins: Moment,
    pub(super) ends: Moment,
    pub(super) key: PublicKey,
    pub(super) trust_domain: TrustDomain,
    pub(super) holder: Holder,
}

/// Whose certificate it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Holder {
    Authority,
    Agent(AgentId, PassportId),
}

impl Profile {
    /// The part that is signed.
    pub(super) fn to_be_signed(&self) -> Vec<u8> {
        let subject = match &self.holder {
            Holder::Authority => authority_name(self.key.id()),
            Holder::Agent(_, passport) => name(SERIAL_NUMBER, der::PRINTABLE_STRING, &passport.to_string()),
        };
        value(
            der::SEQUENCE,
            &[
                &value(explicit(0), &[&value(der::INTEGER, &[&[2]])]),
                &value(der::INTEGER, &[&self.serial]),
                &algorithm(),
                &authority_name(self.issuer),
                &value(der::SEQUENCE, &[&time(self.begins), &time(self.ends)]),
                &subject,
                &value(der::SEQUENCE, &[&algorithm(), &bits(&self.key.to_bytes())]),
                &value(explicit(3), &[&value(der::SEQUENCE, &[&self.extensions()])]),
            ],
        )
    }

    fn extensions(&self) -> Vec<u8> {
        let authority = value(der::SEQUENCE, &[&value(implicit(0), &[self.issuer.as_bytes()])]);
        let subject = value(der::OCTET_STRING, &[self.key.id().as_bytes()]);
        match &self.holder {
            Holder::Authority => {
                let uri = format!("spiffe://{}", self.trust_domain);
                // CA: true; keyCertSign and nothing else
                [
                    extension(
                        BASIC_CONSTRAINTS,
                        true,
                        &value(der::SEQUENCE, &[&value(der::BOOLEAN, &[&[0xff]])]),
                    ),
                    extension(KEY_USAGE, true, &value(der::BIT_STRING, &[&[2, 0x04]])),
                    extension(NAME_CONSTRAINTS, true, &no_hosts()),
                    extension(SUBJECT_KEY, false, &subject),
                    extension(AUTHORITY_KEY, false, &authority),
                    extension(ALTERNATIVE_NAME, false, &uri_name(&uri)),
                ]
                .concat()
            }
            Holder::Agent(agent, _) => {
                let usages = value(
                    der::SEQUENCE,
                    &[&value(der::OID, &[SERVER]), &value(der::OID, &[CLIENT])],
                );
                // CA: false, which DER leaves out; digitalSignature and nothing else
                [
                    extension(BASIC_CONSTRAINTS, true, &value(der::SEQUENCE, &[])),
                    extension(KEY_USAGE, true, &value(der::BIT_STRING, &[&[7, 0x80]])),
                    extension(EXTENDED_USAGE, false, &usages),
                    extension(SUBJECT_KEY, false, &subject),
                    extension(AUTHORITY_KEY, false, &authority),
                    extension(ALTERNATIVE_NAME, false, &uri_name(&self.trust_domain.spiffe_id(agent))),
                ]
                .concat()
            }
        }
    }

    /// The whole certificate.
    pub(super) fn certificate(&self, signature: &[u8; 64]) -> Vec<u8> {
        value(der::SEQUENCE, &[&self.to_be_signed(), &algorithm(), &bits(signature)])
    }

    /// Reads a certificate that [`certificate`](Self::certificate) wrote, and no other: whatever was not understood would
    /// be missing when it is written anew.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, [u8; 64])> {
        let mut outer = Reader::new(bytes).enter(der::SEQUENCE)?;
        let mut signed = outer.enter(der::SEQUENCE)?;
        outer.take(der::SEQUENCE)?;
        let signature = outer.take(der::BIT_STRING)?.strip_prefix(&[0])?.try_into().ok()?;

        signed.take(explicit(0))?;
        let serial = signed.take(der::INTEGER)?.try_into().ok()?;
        signed.take(der::SEQUENCE)?;
        signed.take(der::SEQUENCE)?;
        let mut validity = signed.enter(der::SEQUENCE)?;
        let (begins, ends) = (read_time(&mut validity)?, read_time(&mut validity)?);
        let subject = last_of_name(signed.enter(der::SEQUENCE)?)?;
        let mut key = signed.enter(der::SEQUENCE)?;
        key.take(der::SEQUENCE)?;
        let key = key.take(der::BIT_STRING)?.strip_prefix(&[0])?.try_into().ok()?;

        let mut extensions = signed.enter(explicit(3))?.enter(der::SEQUENCE)?;
        let (mut issuer, mut uri) = (None, None);
        while let Some(mut extension) = extensions.enter(der::SEQUENCE) {
            let id = extension.take(der::OID)?;
            extension.take(der::BOOLEAN);
            let mut content = extension.enter(der::OCTET_STRING)?.enter_any()?;
            match id {
                AUTHORITY_KEY => issuer = KeyId::from_slice(content.take(implicit(0))?),
                ALTERNATIVE_NAME => uri = std::str::from_utf8(content.take(implicit(6))?).ok(),
                _ => {}
            }
        }
        let rest = uri?.strip_prefix("spiffe://")?;
        let (trust_domain, holder) = match rest.split_once("/agent/") {
            None => (rest, Holder::Authority),
            Some((domain, agent)) => {
                let passport = PassportId::parse(std::str::from_utf8(subject).ok()?).ok()?;
                (domain, Holder::Agent(AgentId::parse(agent).ok()?, passport))
            }
        };
        let profile = Self {
            serial,
            issuer: issuer?,
            begins,
            ends,
            key: PublicKey::from_bytes(key).ok()?,
            trust_domain: TrustDomain::parse(trust_domain).ok()?,
            holder,
        };
        (profile.certificate(&signature) == bytes).then_some((profile, signature))
    }
}

fn algorithm() -> Vec<u8> {
    value(der::SEQUENCE, &[&value(der::OID, &[ED25519])])
}

/// A bit string of whole bytes.
fn bits(bytes: &[u8]) -> Vec<u8> {
    value(der::BIT_STRING, &[&[0], bytes])
}

/// An authority is named by its key, so that two authorities never have one name. Nobody has a host as common name: some
/// programs would take it for the name of a server.
fn authority_name(key: KeyId) -> Vec<u8> {
    let mut id = key.to_string();
    id.truncate(16);
    name(COMMON_NAME, der::UTF8_STRING, &format!("authority {id}"))
}

fn name(attribute: &[u8], tag: u8, text: &str) -> Vec<u8> {
    value(
        der::SEQUENCE,
        &[
            &part_of_name(ORGANIZATION, der::UTF8_STRING, "managed-agents"),
            &part_of_name(attribute, tag, text),
        ],
    )
}

fn part_of_name(attribute: &[u8], tag: u8, text: &str) -> Vec<u8> {
    let pair = value(
        der::SEQUENCE,
        &[&value(der::OID, &[attribute]), &value(tag, &[text.as_bytes()])],
    );
    value(der::SET, &[&pair])
}

fn last_of_name<'a>(mut name: Reader<'a>) -> Option<&'a [u8]> {
    name.take(der::SET)?;
    let mut pair = name.enter(der::SET)?.enter(der::SEQUENCE)?;
    pair.take(der::OID)?;
    Some(pair.any()?.1)
}

fn extension(id: &[u8], critical: bool, content: &[u8]) -> Vec<u8> {
    let critical = if critical {
        value(der::BOOLEAN, &[&[0xff]])
    } else {
        Vec::new()
    };
    let id = value(der::OID, &[id]);
    value(der::SEQUENCE, &[&id, &critical, &value(der::OCTET_STRING, &[content])])
}

fn uri_name(uri: &str) -> Vec<u8> {
    value(der::SEQUENCE, &[&value(implicit(6), &[uri.as_bytes()])])
}

/// Excludes every host name and address: an authority that someone puts among the roots of a whole system can still vouch
/// for no web site. (It does not permit its own URI only: widespread libraries refuse every certificate below an authority
/// with a constraint on URIs.)
fn no_hosts() -> Vec<u8> {
    let any_host = value(der::SEQUENCE, &[&value(implicit(2), &[])]);
    let any_v4 = value(der::SEQUENCE, &[&value(implicit(7), &[&[0; 8]])]);
    let any_v6 = value(der::SEQUENCE, &[&value(implicit(7), &[&[0; 32]])]);
    value(der::SEQUENCE, &[&value(explicit(1), &[&any_host, &any_v4, &any_v6])])
}

/// Two digits of the year up to 2049, four from then on (RFC 5280, section 4.1.2.5).
fn time(moment: Moment) -> Vec<u8> {
    let (year, month, day, hour, minute, second) = moment.civil();
    let rest = format!("{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    if year < 2050 {
        value(der::UTC_TIME, &[format!("{:02}{rest}", year % 100).as_bytes()])
    } else {
        value(der::GENERALIZED_TIME, &[format!("{year:04}{rest}").as_bytes()])
    }
}

fn read_time(reader: &mut Reader<'_>) -> Option<Moment> {
    let (tag, text) = reader.any()?;
    let text = std::str::from_utf8(text).ok()?;
    let (year, rest) = text.split_at_checked(if tag == der::UTC_TIME { 2 } else { 4 })?;
    let mut year: i64 = year.parse().ok()?;
    if tag == der::UTC_TIME {
        year += if year < 50 { 2000 } else { 1900 };
    }
    let two = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    Moment::of_civil((year, two(0)?, two(2)?, two(4)?, two(6)?, two(8)?))
}

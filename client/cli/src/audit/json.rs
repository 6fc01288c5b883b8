//! `psephos audit json`: everything in an election record, for other tools, as JSON Lines.
//!
//! The names are those of the protocol's own types, whose description ([`scale_info`]) leads through the bytes, so
//! that no field can be forgotten. docs/record.md says what they mean and how values are written.

use blake2b_simd::Params;
use clap::Args;
use codec::{Compact, Decode, Encode};
use psephos_protocol::{
    ballot::TrackingCode,
    header::Header,
    ids::Digest,
    record::{FrameReader, RecordBlock, RecordError, RecordHeader},
    wire::Message,
};
use scale_info::{
    form::PortableForm, Field, MetaType, PortableRegistry, Registry, TypeDef, TypeDefPrimitive,
};
use serde_json::json;
use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use super::files::NewFile;
use crate::{context::Context, error::CliError};

/// The largest integer of which every reader of JSON knows the exact value: 2^53 − 1 (RFC 7493).
const MAX_EXACT: u64 = (1 << 53) - 1;

/// What to type, for `--help`.
pub const EXAMPLES: &str = "Examples:
  psephos audit json record.psephos record.jsonl
  psephos audit json record.psephos | jq -c '.messages[]? | select(.message == \"Cast\") | .digest'

The first line is the record's header, each other line a block. docs/record.md says what the fields mean.
Nothing is verified: that is what `psephos-verify` does.";

/// A record to show as JSON.
#[derive(Args)]
pub struct JsonArgs {
    /// The record, as `psephos audit export` wrote it.
    record: PathBuf,
    /// Where the lines go; must not exist. Without it, to stdout.
    out: Option<PathBuf>,
}

/// Why a record can't be shown.
#[derive(Debug)]
enum Stop {
    Record(RecordError),
    Read(io::Error),
    Write(io::Error),
    Description(codec::Error),
}

impl From<codec::Error> for Stop {
    fn from(error: codec::Error) -> Self {
        Self::Description(error)
    }
}

impl From<RecordError> for Stop {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

/// Writes a record as JSON.
///
/// # Errors
/// [`CliError`] when the file is no record, or a file can't be read or written.
pub fn run(args: &JsonArgs, context: &Context) -> Result<(), CliError> {
    let file = File::open(&args.record).map_err(|error| CliError::file(&args.record, error))?;
    let length = file.metadata().map_or(0, |data| data.len());
    let progress = context.out.bytes(length, "decoding the record");
    let source = progress.wrap_read(BufReader::new(file));
    let failed = |stop: Stop, to: &Path| match stop {
        Stop::Record(error) => CliError::file(&args.record, error),
        Stop::Read(error) => CliError::file(&args.record, error),
        Stop::Write(error) => CliError::file(to, error),
        Stop::Description(error) => CliError::file(&args.record, error),
    };
    let Some(out) = &args.out else {
        let written = lines(source, &mut BufWriter::new(io::stdout().lock()));
        progress.finish_and_clear();
        return match written {
            // Whoever read went away.
            Err(Stop::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.map(|_| ()).map_err(|stop| failed(stop, Path::new("stdout"))),
        };
    };
    let file = NewFile::create(out)?;
    let blocks = lines(source, &mut BufWriter::new(file.writer())).map_err(|stop| failed(stop, out));
    progress.finish_and_clear();
    let blocks = blocks?;
    file.keep()?;
    context.out.result(&json!({ "blocks": blocks, "out": out }), || {
        format!(
            "Wrote {}: the header and {blocks} blocks, one a line. Nothing of it was verified.",
            out.display()
        )
    })
}

/// Writes the lines. Memory holds one block. How many blocks there are.
fn lines(mut source: impl Read, out: &mut impl Write) -> Result<u64, Stop> {
    let read = |buffer: &mut [u8]| loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map_err(Stop::Read),
        }
    };
    let view = View::new();
    let mut frames = FrameReader::new(read)?;
    let header: RecordHeader = frames.next()?.ok_or(RecordError::Truncated(0))?;
    let mut blocks = 0;
    let mut line = view.header(&header)?;
    loop {
        line.push('\n');
        out.write_all(line.as_bytes()).map_err(Stop::Write)?;
        let Some(block) = frames.next::<RecordBlock>()? else { break };
        line = view.block(&block)?;
        blocks += 1;
    }
    out.flush().map_err(Stop::Write)?;
    Ok(blocks)
}

/// Writes values of the protocol's types as JSON.
struct View {
    types: PortableRegistry,
    record: u32,
    header: u32,
    message: u32,
}

/// What this software encoded does not follow its own description of the type.
const UNDESCRIBED: &str = "an encoding that is not as its type is described";

impl View {
    fn new() -> Self {
        let mut types = Registry::new();
        let record = types.register_type(&MetaType::new::<RecordHeader>()).id;
        let header = types.register_type(&MetaType::new::<Header>()).id;
        let message = types.register_type(&MetaType::new::<Message>()).id;
        Self { types: types.into(), record, header, message }
    }

    fn header(&self, header: &RecordHeader) -> Result<String, codec::Error> {
        self.whole(self.record, &header.encode())
    }

    fn block(&self, block: &RecordBlock) -> Result<String, codec::Error> {
        let hash = Params::new().hash_length(32).hash(&block.header);
        // A header that is none, which no verifier takes, is shown as it is.
        let (number, header) = match Header::from_bytes(&block.header) {
            Ok(header) if header.encode() == block.header => {
                (header.number.0.to_string(), self.whole(self.header, &block.header)?)
            }
            _ => ("null".into(), format!("\"{}\"", hex::encode(&block.header))),
        };
        let messages: Vec<String> =
            block.messages.iter().map(|message| self.message(message)).collect::<Result<_, _>>()?;
        Ok(format!(
            "{{\"number\":{number},\"hash\":\"{}\",\"time\":{},\"header\":{header},\"messages\":[{}]}}",
            hash.to_hex(),
            integer(block.time),
            messages.join(",")
        ))
    }

    fn message(&self, message: &Message) -> Result<String, codec::Error> {
        let bytes = message.encode();
        let (index, mut content) = bytes.split_first().ok_or(UNDESCRIBED)?;
        let TypeDef::Variant(messages) = &self.types.resolve(self.message).ok_or(UNDESCRIBED)?.type_def
        else {
            return Err(UNDESCRIBED.into());
        };
        let variant = messages.variants.iter().find(|variant| variant.index == *index).ok_or(UNDESCRIBED)?;
        let mut out = format!("{{\"message\":\"{}\",\"index\":{index},{}", variant.name, digest(message));
        out.push_str("\"content\":");
        self.fields(&variant.fields, false, &mut content, &mut out)?;
        out.push('}');
        all_used(content).map(|()| out)
    }

    /// A value that uses up all its bytes.
    fn whole(&self, of: u32, mut bytes: &[u8]) -> Result<String, codec::Error> {
        let mut out = String::new();
        self.value(of, false, &mut bytes, &mut out)?;
        all_used(bytes).map(|()| out)
    }

    /// Takes a value off the bytes. Lists of bytes are `text`, or else written in hexadecimal.
    fn value(&self, of: u32, text: bool, bytes: &mut &[u8], out: &mut String) -> Result<(), codec::Error> {
        let of = self.types.resolve(of).ok_or(UNDESCRIBED)?;
        match &of.type_def {
            TypeDef::Composite(composite) => self.fields(&composite.fields, text, bytes, out)?,
            TypeDef::Variant(variants) => {
                let index = u8::decode(bytes)?;
                let variant = variants.variants.iter().find(|variant| variant.index == index);
                let variant = variant.ok_or(UNDESCRIBED)?;
                match (of.path.segments.first().map(String::as_str), variant.fields.as_slice()) {
                    (Some("Option"), []) => out.push_str("null"),
                    (Some("Option"), fields) => self.fields(fields, text, bytes, out)?,
                    (_, []) => quote(&variant.name, out),
                    (_, fields) => {
                        out.push('{');
                        quote(&variant.name, out);
                        out.push(':');
                        self.fields(fields, text, bytes, out)?;
                        out.push('}');
                    }
                }
            }
            TypeDef::Sequence(list) => {
                let length = Compact::<u32>::decode(bytes)?.0 as usize;
                self.list(list.type_param.id, length, text, bytes, out)?;
            }
            TypeDef::Array(array) => {
                self.list(array.type_param.id, array.len as usize, false, bytes, out)?;
            }
            TypeDef::Tuple(tuple) => {
                let items = tuple.fields.iter().map(|field| (field.id, text));
                self.items(items, bytes, out)?;
            }
            TypeDef::Primitive(TypeDefPrimitive::Bool) => {
                out.push_str(if bool::decode(bytes)? { "true" } else { "false" });
            }
            TypeDef::Primitive(TypeDefPrimitive::U8) => out.push_str(&u8::decode(bytes)?.to_string()),
            TypeDef::Primitive(TypeDefPrimitive::U16) => out.push_str(&u16::decode(bytes)?.to_string()),
            TypeDef::Primitive(TypeDefPrimitive::U32) => out.push_str(&u32::decode(bytes)?.to_string()),
            TypeDef::Primitive(TypeDefPrimitive::U64) => out.push_str(&integer(u64::decode(bytes)?)),
            TypeDef::Compact(_) => out.push_str(&integer(Compact::<u64>::decode(bytes)?.0)),
            TypeDef::Primitive(_) | TypeDef::BitSequence(_) => return Err(UNDESCRIBED.into()),
        }
        Ok(())
    }

    /// Fields with names are an object; one field without is written as its value, and several as a list.
    fn fields(
        &self,
        fields: &[Field<PortableForm>],
        text: bool,
        bytes: &mut &[u8],
        out: &mut String,
    ) -> Result<(), codec::Error> {
        let is_text =
            |field: &Field<PortableForm>| text || field.type_name.as_deref().is_some_and(names_text);
        match fields {
            [field] if field.name.is_none() => self.value(field.ty.id, is_text(field), bytes, out),
            [Field { name: None, .. }, ..] => {
                self.items(fields.iter().map(|field| (field.ty.id, is_text(field))), bytes, out)
            }
            fields => {
                out.push('{');
                for (place, field) in fields.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    quote(field.name.as_deref().unwrap_or_default(), out);
                    out.push(':');
                    self.value(field.ty.id, is_text(field), bytes, out)?;
                }
                out.push('}');
                Ok(())
            }
        }
    }

    fn list(
        &self,
        of: u32,
        length: usize,
        text: bool,
        bytes: &mut &[u8],
        out: &mut String,
    ) -> Result<(), codec::Error> {
        let item = self.types.resolve(of).ok_or(UNDESCRIBED)?;
        if !matches!(item.type_def, TypeDef::Primitive(TypeDefPrimitive::U8)) {
            return self.items((0..length).map(|_| (of, text)), bytes, out);
        }
        let (all, rest) = bytes.split_at_checked(length).ok_or("a list that is cut off")?;
        *bytes = rest;
        match std::str::from_utf8(all) {
            Ok(name) if text => quote(name, out),
            // A name that is none, which no verifier takes, is shown as it is.
            Err(_) if text => out.push_str(&format!("{{\"hex\":\"{}\"}}", hex::encode(all))),
            _ => quote(&hex::encode(all), out),
        }
        Ok(())
    }

    fn items(
        &self,
        items: impl Iterator<Item = (u32, bool)>,
        bytes: &mut &[u8],
        out: &mut String,
    ) -> Result<(), codec::Error> {
        out.push('[');
        for (place, (item, text)) in items.enumerate() {
            if place > 0 {
                out.push(',');
            }
            self.value(item, text, bytes, out)?;
        }
        out.push(']');
        Ok(())
    }
}

/// Whether a field of this type holds text for people: the only lists of bytes that are no bytes.
fn names_text(type_name: &str) -> bool {
    type_name.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "Text" | "Reason"))
}

/// What others cite a message by: the digest of an action or a batch, the hash and the tracking code of a ballot.
fn digest(message: &Message) -> String {
    let named = |digest: Digest| format!("\"digest\":\"{digest}\",");
    match message {
        Message::Approve(approval) => named(approval.action.digest()),
        Message::AddBatch(batch) => named(batch.digest()),
        Message::Cast(cast) => {
            let hash = cast.signed.ballot.hash();
            format!("\"digest\":\"{hash}\",\"tracking_code\":\"{}\",", TrackingCode::of(&hash))
        }
        _ => String::new(),
    }
}

fn all_used(rest: &[u8]) -> Result<(), codec::Error> {
    rest.is_empty().then_some(()).ok_or(UNDESCRIBED.into())
}

/// A number, or its digits as a string where a reader might round it.
fn integer(value: u64) -> String {
    if value <= MAX_EXACT {
        value.to_string()
    } else {
        format!("\"{value}\"")
    }
}

fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[cfg(test)]
mod tests;

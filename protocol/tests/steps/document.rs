//! docs/record.md has every field of the record and of the finality proof, with its type and size, and no other.

use psephos_protocol::{
    bounds::*,
    finality::{FinalityProof, MAX_PROOF_BYTES, SUFFIX, VALIDATORS_KEY},
    header::Header,
    record::{RecordBlock, RecordHeader, MAX_FRAME},
    wire::Message,
    VERSION,
};
use scale_info::{
    form::PortableForm, Field, MetaType, PortableRegistry, Registry, Type, TypeDef, TypeDefPrimitive,
};
use std::collections::BTreeMap;

const DOCUMENT: &str = include_str!("../../../docs/record.md");

/// The rows of the tables under each heading, each by its first three cells.
fn written() -> BTreeMap<String, Vec<[String; 3]>> {
    let mut sections: BTreeMap<String, Vec<[String; 3]>> = BTreeMap::new();
    let mut section = String::new();
    for line in DOCUMENT.lines() {
        if let Some(heading) = line.strip_prefix("## ").or(line.strip_prefix("# ")) {
            section = heading.into();
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", first, second, third, ..] = cells.as_slice() {
            if !matches!(*first, "field" | "index" | "name" | "---") {
                sections
                    .entry(section.clone())
                    .or_default()
                    .push([first, second, third].map(|s| s.to_string()));
            }
        }
    }
    sections
}

/// The types of the protocol as they describe themselves.
struct Types(PortableRegistry);

impl Types {
    fn new() -> Self {
        let mut types = Registry::new();
        for root in [
            MetaType::new::<RecordHeader>(),
            MetaType::new::<RecordBlock>(),
            MetaType::new::<Header>(),
            MetaType::new::<Message>(),
            MetaType::new::<FinalityProof>(),
        ] {
            types.register_type(&root);
        }
        Self(types.into())
    }

    fn of(&self, id: u32) -> &Type<PortableForm> {
        self.0.resolve(id).unwrap()
    }

    fn name(&self, id: u32) -> &str {
        self.of(id).path.segments.last().map_or("", String::as_str)
    }

    /// The type as the document writes it.
    fn notation(&self, id: u32, text: bool) -> String {
        match &self.of(id).type_def {
            TypeDef::Composite(one) if self.name(id) == "BoundedVec" => {
                self.notation(one.fields[0].ty.id, text)
            }
            TypeDef::Variant(option) if self.name(id) == "Option" => {
                format!("optional {}", self.notation(option.variants[1].fields[0].ty.id, text))
            }
            TypeDef::Composite(_) | TypeDef::Variant(_) => self.name(id).into(),
            TypeDef::Sequence(list) if self.notation(list.type_param.id, false) == "u8" => {
                if text { "text" } else { "bytes" }.into()
            }
            TypeDef::Sequence(list) => format!("list of {}", self.notation(list.type_param.id, text)),
            TypeDef::Array(array) => format!("{} bytes", array.len),
            TypeDef::Tuple(tuple) => {
                let parts: Vec<String> =
                    tuple.fields.iter().map(|part| self.notation(part.id, text)).collect();
                format!("({})", parts.join(", "))
            }
            TypeDef::Compact(number) => format!("compact {}", self.notation(number.type_param.id, false)),
            TypeDef::Primitive(TypeDefPrimitive::Bool) => "bool".into(),
            TypeDef::Primitive(TypeDefPrimitive::U8) => "u8".into(),
            TypeDef::Primitive(TypeDefPrimitive::U16) => "u16".into(),
            TypeDef::Primitive(TypeDefPrimitive::U32) => "u32".into(),
            TypeDef::Primitive(TypeDefPrimitive::U64) => "u64".into(),
            other => panic!("{other:?}"),
        }
    }

    fn notation_of(&self, field: &Field<PortableForm>) -> String {
        let name = field.type_name.as_deref().unwrap_or_default();
        let text = name.split(|c: char| !c.is_alphanumeric()).any(|word| word == "Text" || word == "Reason");
        format!("`{}`", self.notation(field.ty.id, text))
    }

    /// The bytes of a value, where they are always as many.
    fn fixed(&self, id: u32) -> Option<usize> {
        match &self.of(id).type_def {
            TypeDef::Composite(parts) => parts.fields.iter().map(|part| self.fixed(part.ty.id)).sum(),
            TypeDef::Array(array) => Some(array.len as usize * self.fixed(array.type_param.id)?),
            TypeDef::Tuple(tuple) => tuple.fields.iter().map(|part| self.fixed(part.id)).sum(),
            TypeDef::Primitive(TypeDefPrimitive::Bool | TypeDefPrimitive::U8) => Some(1),
            TypeDef::Primitive(TypeDefPrimitive::U16) => Some(2),
            TypeDef::Primitive(TypeDefPrimitive::U32) => Some(4),
            TypeDef::Primitive(TypeDefPrimitive::U64) => Some(8),
            _ => None,
        }
    }

    fn size(&self, field: &Field<PortableForm>) -> String {
        if let Some(bytes) = self.fixed(field.ty.id) {
            return grouped(bytes);
        }
        match (self.name(field.ty.id), &self.of(field.ty.id).type_def) {
            ("BoundedVec", _) => format!("to {}", grouped(bound(field.type_name.as_deref().unwrap()))),
            (_, TypeDef::Sequence(_)) => "any".into(),
            _ => String::new(),
        }
    }

    /// The rows of a type's table; none of what is only bytes, a list or an option.
    fn rows(&self, of: &Type<PortableForm>) -> Option<Vec<[String; 3]>> {
        match &of.type_def {
            TypeDef::Composite(parts) if parts.fields[0].name.is_some() => {
                let row = |field: &Field<PortableForm>| {
                    [format!("`{}`", field.name.as_ref().unwrap()), self.notation_of(field), self.size(field)]
                };
                Some(parts.fields.iter().map(row).collect())
            }
            TypeDef::Variant(parts) if of.path.segments.last().unwrap() != "Option" => {
                let content = |field: &Field<PortableForm>| match &field.name {
                    Some(name) => format!("`{name}`: {}", self.notation_of(field)),
                    None => self.notation_of(field),
                };
                let rows = parts.variants.iter().map(|variant| {
                    let fields: Vec<String> = variant.fields.iter().map(content).collect();
                    [variant.index.to_string(), format!("`{}`", variant.name), fields.join(", ")]
                });
                Some(rows.collect())
            }
            _ => None,
        }
    }
}

/// How many items the list of a bounded type may have.
fn bound(type_name: &str) -> usize {
    let name = match type_name {
        "Text" => "MAX_TEXT",
        "InvitationKeys" => "2",
        "Entries" => "MAX_BATCH",
        "Columns" => "MAX_SUMS",
        bounded => bounded.rsplit("ConstU32<").next().unwrap().trim_end_matches('>').trim(),
    };
    let known = [
        ("MAX_OPTIONS", MAX_OPTIONS),
        ("MAX_CONTESTS", MAX_CONTESTS),
        ("MAX_STYLES", MAX_STYLES),
        ("MAX_UNITS", MAX_UNITS),
        ("MAX_WEIGHTS", MAX_WEIGHTS),
        ("MAX_TRUSTEES", MAX_TRUSTEES),
        ("MAX_BOARD", MAX_BOARD),
        ("MAX_REGISTRARS", MAX_REGISTRARS),
        ("MAX_TEXT", MAX_TEXT),
        ("MAX_BATCH", MAX_BATCH),
        ("MAX_COLUMNS", MAX_COLUMNS),
        ("MAX_SUMS", MAX_SUMS),
        ("MAX_SLACK", MAX_SLACK),
        ("MAX_PROOF", MAX_PROOF),
        ("KEM_PUBLIC_KEY_BYTES", KEM_PUBLIC_KEY_BYTES),
        ("2", 2),
    ];
    let value = known.into_iter().find(|(known, _)| *known == name);
    value.unwrap_or_else(|| panic!("the bound of {type_name} is not known here")).1 as usize
}

/// With a comma between thousands.
fn grouped(number: usize) -> String {
    match number {
        0..1_000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1_000), number % 1_000),
    }
}

#[test]
fn the_document_has_every_field_with_its_type_and_size() {
    let (types, mut written) = (Types::new(), written());
    for of in &types.0.types {
        let Some(expected) = types.rows(&of.ty) else { continue };
        let name = types.name(of.id);
        let found = written.remove(name).unwrap_or_default();
        assert!(
            found == expected,
            "docs/record.md, {name}: expected are\n{expected:#?}\nand there are\n{found:#?}"
        );
    }
    // What is left are the chapters; every heading below them was a type.
    assert!(written.keys().all(|heading| heading.starts_with(|c: char| c.is_ascii_digit())), "{written:?}");
}

#[test]
fn the_document_has_every_type_that_is_only_bytes() {
    let (types, written) = (Types::new(), written());
    let names = &written["1 Encoding"];
    for of in &types.0.types {
        let TypeDef::Composite(parts) = &of.ty.type_def else { continue };
        if parts.fields[0].name.is_none() && types.name(of.id) != "BoundedVec" {
            let size = types.fixed(of.id).unwrap().to_string();
            let expected = [format!("`{}`", types.name(of.id)), size];
            assert!(names.iter().any(|row| row[..2] == expected), "docs/record.md, 1: no {expected:?}");
        }
    }
}

#[test]
fn the_document_has_the_numbers_of_this_version() {
    let frame = format!("as `u32`, at most {}, and", grouped(MAX_FRAME as usize));
    let proof = format!("at most {} bytes together", grouped(MAX_PROOF_BYTES));
    let reason = format!("A reason has 1 to {} bytes.", grouped(MAX_REASON as usize));
    let lowered = format!("{} blocks later", grouped(LOWERED_QUORUM_WAIT as usize));
    let version = format!("the protocol's version: {VERSION} |");
    let text = DOCUMENT.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [frame, proof, reason, lowered, version, hex::encode(VALIDATORS_KEY), format!("`{SUFFIX}`")] {
        assert!(text.contains(&part), "docs/record.md does not say {part:?}");
    }
}

#[test]
fn the_example_is_how_a_record_begins() {
    let example = DOCUMENT.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let digits: String = example.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/vectors/wire.json")).unwrap();
    assert!(digits.len() > 600 && vectors["record"].as_str().unwrap().starts_with(&digits));
}

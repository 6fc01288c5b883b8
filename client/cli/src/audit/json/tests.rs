use super::*;
use codec::DecodeAll;
use psephos_protocol::{
    ballot::{CastBallot, SignedBallot},
    manifest::Manifest,
    record::{frame, MAGIC},
    testing::{Fixture, Params as World},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Reads what [`View`] writes: the same walk through the description of the types, the other way.
impl View {
    fn read(&self, of: u32, text: bool, value: &Value, out: &mut Vec<u8>) {
        let of = self.types.resolve(of).unwrap();
        match &of.type_def {
            TypeDef::Composite(composite) => self.read_fields(&composite.fields, text, value, out),
            TypeDef::Variant(variants) => {
                let option = of.path.segments.first().is_some_and(|name| name == "Option");
                let (name, content) = match value {
                    Value::Null if option => ("None", &Value::Null),
                    some if option => ("Some", some),
                    Value::String(name) => (name.as_str(), &Value::Null),
                    Value::Object(one) if one.len() == 1 => {
                        one.iter().next().map(|(name, content)| (name.as_str(), content)).unwrap()
                    }
                    other => panic!("no variant: {other}"),
                };
                let variant = variants.variants.iter().find(|variant| variant.name == name).unwrap();
                out.push(variant.index);
                if !variant.fields.is_empty() {
                    self.read_fields(&variant.fields, text, content, out);
                }
            }
            TypeDef::Sequence(list) => match self.read_bytes(list.type_param.id, text, value) {
                Some(bytes) => bytes.encode_to(out),
                None => {
                    let items = value.as_array().unwrap();
                    Compact(items.len() as u32).encode_to(out);
                    items.iter().for_each(|item| self.read(list.type_param.id, text, item, out));
                }
            },
            TypeDef::Array(array) => match self.read_bytes(array.type_param.id, false, value) {
                Some(bytes) => {
                    assert_eq!(bytes.len(), array.len as usize);
                    out.extend(bytes);
                }
                None => panic!("no array of anything else is used"),
            },
            TypeDef::Tuple(tuple) => {
                let items = value.as_array().unwrap();
                assert_eq!(items.len(), tuple.fields.len());
                tuple.fields.iter().zip(items).for_each(|(field, item)| self.read(field.id, text, item, out));
            }
            TypeDef::Primitive(TypeDefPrimitive::Bool) => value.as_bool().unwrap().encode_to(out),
            TypeDef::Primitive(TypeDefPrimitive::U8) => (number(value) as u8).encode_to(out),
            TypeDef::Primitive(TypeDefPrimitive::U16) => (number(value) as u16).encode_to(out),
            TypeDef::Primitive(TypeDefPrimitive::U32) => (number(value) as u32).encode_to(out),
            TypeDef::Primitive(TypeDefPrimitive::U64) => number(value).encode_to(out),
            TypeDef::Compact(_) => Compact(number(value)).encode_to(out),
            other => panic!("{other:?}"),
        }
    }

    fn read_fields(&self, fields: &[Field<PortableForm>], text: bool, value: &Value, out: &mut Vec<u8>) {
        let is_text =
            |field: &Field<PortableForm>| text || field.type_name.as_deref().is_some_and(names_text);
        match fields {
            [field] if field.name.is_none() => self.read(field.ty.id, is_text(field), value, out),
            [Field { name: None, .. }, ..] => {
                let items = value.as_array().unwrap();
                assert_eq!(items.len(), fields.len());
                fields.iter().zip(items).for_each(|(field, item)| {
                    self.read(field.ty.id, is_text(field), item, out);
                });
            }
            fields => {
                assert_eq!(value.as_object().unwrap().len(), fields.len());
                for field in fields {
                    self.read(field.ty.id, is_text(field), &value[field.name.as_ref().unwrap()], out);
                }
            }
        }
    }

    fn read_bytes(&self, of: u32, text: bool, value: &Value) -> Option<Vec<u8>> {
        let item = self.types.resolve(of).unwrap();
        matches!(item.type_def, TypeDef::Primitive(TypeDefPrimitive::U8)).then(|| match value {
            Value::String(name) if text => name.as_bytes().to_vec(),
            Value::String(digits) => hex::decode(digits).unwrap(),
            other => hex::decode(other["hex"].as_str().unwrap()).unwrap(),
        })
    }

    fn read_message(&self, value: &Value) -> Message {
        let mut bytes = Vec::new();
        let tagged = json!({ (value["message"].as_str().unwrap()): value["content"] });
        self.read(self.message, false, &tagged, &mut bytes);
        assert_eq!(u64::from(bytes[0]), value["index"].as_u64().unwrap());
        Message::decode_all(&mut bytes.as_slice()).unwrap()
    }

    fn read_block(&self, line: &str) -> RecordBlock {
        let value: Value = serde_json::from_str(line).unwrap();
        let header = match &value["header"] {
            Value::String(digits) => hex::decode(digits).unwrap(),
            header => {
                let mut bytes = Vec::new();
                self.read(self.header, false, header, &mut bytes);
                assert_eq!(value["number"], header["number"]);
                bytes
            }
        };
        let hash = Params::new().hash_length(32).hash(&header);
        assert_eq!(value["hash"], hash.to_hex().as_str());
        let messages = value["messages"].as_array().unwrap().iter().map(|item| self.read_message(item));
        RecordBlock { header, time: number(&value["time"]), messages: messages.collect() }
    }

    fn read_record(&self, lines: &str) -> Vec<u8> {
        let mut lines = lines.lines();
        let header: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        let mut bytes = Vec::new();
        self.read(self.record, false, &header, &mut bytes);
        let header = RecordHeader::decode_all(&mut bytes.as_slice()).unwrap();
        let blocks = lines.flat_map(|line| frame(&self.read_block(line)));
        MAGIC.into_iter().chain(frame(&header)).chain(blocks).collect()
    }
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

fn vectors(name: &str) -> Value {
    let path = format!("{}/../../docs/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn shown(record: &[u8]) -> String {
    let mut out = Vec::new();
    lines(record, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn nothing_of_a_record_is_lost() {
    let view = View::new();
    let mut records: Vec<Vec<u8>> =
        vectors("records").as_array().unwrap().iter().map(|case| bytes(&case["record"])).collect();
    records.push(bytes(&vectors("wire")["record"]));
    for record in records {
        assert!(view.read_record(&shown(&record)) == record);
    }
}

#[test]
fn nothing_of_a_message_is_lost() {
    let view = View::new();
    let mut kinds = BTreeSet::new();
    for case in vectors("wire")["extrinsics"].as_array().unwrap() {
        let message = Message::from_extrinsic(&bytes(&case["extrinsic"])).unwrap();
        let value: Value = serde_json::from_str(&view.message(&message).unwrap()).unwrap();
        assert!(view.read_message(&value) == message, "{}", case["message"]);
        kinds.insert(value["message"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds.len(), 10, "every kind of message: {kinds:?}");
}

#[test]
fn messages_are_cited_as_others_cite_them() {
    let record = bytes(&vectors("records")[0]["record"]);
    let lines = shown(&record);
    let messages = lines.lines().skip(1).flat_map(|line| {
        let block: Value = serde_json::from_str(line).unwrap();
        block["messages"].as_array().unwrap().clone()
    });
    let of = |kind: &str| messages.clone().filter(|message| message["message"] == kind).collect::<Vec<_>>();
    let all = of("Cast");
    assert!(!all.is_empty() && all.iter().all(|cast| cast["tracking_code"].as_str().unwrap().len() == 35));
    // The board confirmed a batch by its digest.
    let confirmed = of("Approve").iter().any(|approval| {
        approval["content"]["action"]["ConfirmBatch"]["digest"] == of("AddBatch")[0]["digest"]
    });
    assert!(confirmed);
    for case in vectors("ballot").as_array().unwrap() {
        let signed = [bytes(&case["ballot"]), bytes(&case["signature"])].concat();
        let signed = SignedBallot::from_bytes(&signed).unwrap();
        let message = Message::Cast(CastBallot { signed, receipts: Default::default() });
        let shown: Value = serde_json::from_str(&View::new().message(&message).unwrap()).unwrap();
        let cited = (&shown["digest"], &shown["tracking_code"]);
        assert_eq!(cited, (&case["hash"], &case["tracking code"]));
    }
}

#[test]
fn what_no_verifier_takes_is_shown_as_it_is() {
    let view = View::new();
    let block = RecordBlock { header: vec![1, 2, 3], time: u64::MAX, messages: vec![] };
    let line = view.block(&block).unwrap();
    assert!(line.contains(r#""number":null"#) && line.contains(r#""header":"010203""#), "{line}");
    assert!(line.contains(r#""time":"18446744073709551615""#), "{line}");
    assert!(view.read_block(&line) == block);
    let exact = RecordBlock { time: MAX_EXACT, ..block };
    assert!(view.block(&exact).unwrap().contains(r#""time":9007199254740991,"#));

    let fixture = Fixture::new(&World::default());
    let mut manifest: Manifest = fixture.election.manifest.clone();
    manifest.title = vec![0xff, 0xfe].try_into().unwrap();
    manifest.units = vec![psephos_protocol::bounds::text("\"Zoë\"\n").unwrap()].try_into().unwrap();
    let approval = psephos_protocol::board::Approval {
        action: psephos_protocol::board::Action::CreateElection { number: 0, manifest },
        member: 0,
        signature: psephos_protocol::keys::Signature([7; 64]),
    };
    let message = Message::Approve(approval);
    let line = view.message(&message).unwrap();
    assert!(
        line.contains(r#""title":{"hex":"fffe"}"#) && line.contains(r#""units":["\"Zoë\"\n"]"#),
        "{line}"
    );
    assert!(view.read_message(&serde_json::from_str(&line).unwrap()) == message);
}

#[test]
fn a_file_that_is_no_record_or_is_cut_off_is_told() {
    let record = bytes(&vectors("wire")["record"]);
    let told = |bytes: &[u8]| match lines(bytes, &mut Vec::new()) {
        Err(Stop::Record(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(told(b"PSEPHOSF"), RecordError::Magic);
    assert_eq!(told(&record[..record.len() - 1]), RecordError::Truncated(2));
    assert_eq!(told(&MAGIC), RecordError::Truncated(0));
}

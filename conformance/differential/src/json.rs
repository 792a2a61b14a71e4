//! JSON as a tree that can say what serde_json cannot: members twice, any number, any spelling.

use crate::random::Random;

#[derive(Clone, Debug)]
pub enum Json {
    /// As it stands: numbers, `true`, `null`.
    Raw(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

pub fn text(text: &str) -> Json {
    Json::Text(text.into())
}

pub fn raw(text: &str) -> Json {
    Json::Raw(text.into())
}

pub fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(
        members
            .into_iter()
            .map(|(key, value)| (key.into(), value))
            .collect(),
    )
}

impl Json {
    pub fn write(&self, random: &mut Random) -> String {
        let mut out = String::new();
        let spaced = random.chance(20);
        self.put(&mut out, random, spaced);
        out
    }

    fn put(&self, out: &mut String, random: &mut Random, spaced: bool) {
        let space = |out: &mut String, random: &mut Random| {
            if spaced && random.chance(20) {
                out.push_str(random.pick(&[" ", "\n", "\t", "\r\n", "  "]));
            }
        };
        match self {
            Self::Raw(text) => out.push_str(text),
            Self::Text(text) => quote(text, out, random),
            Self::List(items) => {
                out.push('[');
                for (number, item) in items.iter().enumerate() {
                    out.push_str(if number == 0 { "" } else { "," });
                    space(out, random);
                    item.put(out, random, spaced);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (number, (key, value)) in members.iter().enumerate() {
                    out.push_str(if number == 0 { "" } else { "," });
                    space(out, random);
                    quote(key, out, random);
                    space(out, random);
                    out.push(':');
                    value.put(out, random, spaced);
                }
                space(out, random);
                out.push('}');
            }
        }
    }

    /// How many values it has, itself included.
    pub fn size(&self) -> usize {
        1 + match self {
            Self::Raw(_) | Self::Text(_) => 0,
            Self::List(items) => items.iter().map(Self::size).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| value.size()).sum(),
        }
    }

    /// The value at this place of a walk over all.
    pub fn at(&mut self, place: usize) -> &mut Self {
        if place == 0 {
            return self;
        }
        let mut left = place - 1;
        let children: Vec<&mut Self> = match self {
            Self::Raw(_) | Self::Text(_) => Vec::new(),
            Self::List(items) => items.iter_mut().collect(),
            Self::Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
        };
        for child in children {
            let size = child.size();
            if left < size {
                return child.at(left);
            }
            left -= size;
        }
        unreachable!("the place is below the size")
    }
}

fn quote(text: &str, out: &mut String, random: &mut Random) {
    out.push('"');
    let odd = random.chance(2);
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' || (odd && random.chance(20) && (c as u32) < 0x1_0000) => {
                out.push_str(&format!("\\u{:04x}", c as u32))
            }
            '/' if odd => out.push_str("\\/"),
            c => out.push(c),
        }
    }
    out.push('"');
}

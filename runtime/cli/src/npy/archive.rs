//! The zip archives that `np.savez` and `np.savez_compressed` write: members by name, stored or deflated, with the
//! 64-bit sizes of ZIP64. Encryption, other methods and archives in several parts are refused.
//!
//! An archive is read from its end: the end record finds the directory, which says where each member is.

use std::io::{Read, Seek, SeekFrom, Write};

use flate2::Crc;
use flate2::read::DeflateDecoder;

const LOCAL: u32 = 0x0403_4b50;
const ENTRY: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;

/// Stands in a 32-bit field whose value is in the ZIP64 record.
const IN_64: u32 = u32::MAX;
/// The extra field that holds 64-bit sizes.
const EXTRA_64: u16 = 1;
/// ZIP 4.5, the first with 64-bit sizes.
const VERSION: u16 = 45;
/// 1980-01-01, the first day of the format: the same result makes the same file.
const DATE: u16 = 0x21;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
const ENCRYPTED: u16 = 1;

/// A directory larger than this is none of ours: it would list a million arrays.
const MAX_DIRECTORY: u64 = 64 << 20;

/// What the directory says about a member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its name, with `.npy`.
    pub name: String,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    at: u64,
}

/// Bytes in order; `None` when there are too few.
struct Fields<'bytes> {
    rest: &'bytes [u8],
}

impl<'bytes> Fields<'bytes> {
    fn bytes(&mut self, len: usize) -> Option<&'bytes [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }
}

/// The members of an archive.
pub fn members(archive: &mut (impl Read + Seek)) -> Result<Vec<Member>, String> {
    let (at, size) = directory(archive)?;
    let listing = read_at(archive, at, size).ok_or_else(|| broken("its directory is not there"))?;
    let mut fields = Fields { rest: &listing };
    let mut members = Vec::new();
    while !fields.rest.is_empty() {
        members.push(member(&mut fields).ok_or_else(|| broken("its directory cannot be read"))?);
    }
    Ok(members)
}

fn broken(what: &str) -> String {
    format!("this is no .npz archive ({what})")
}

/// Where the directory is and how long.
fn directory(archive: &mut (impl Read + Seek)) -> Result<(u64, u64), String> {
    /// The end record, and the longest comment that may follow it.
    const LONGEST: u64 = 22 + 0xffff;
    let fault = || broken("it has no end record");
    let len = archive.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    let tail_at = len.saturating_sub(LONGEST);
    let tail = read_at(archive, tail_at, len - tail_at).ok_or_else(fault)?;
    let found = tail.windows(4).rposition(|window| window == END.to_le_bytes()).ok_or_else(fault)?;
    let mut end = Fields { rest: &tail[found..] };
    let (Some(_), Some(size), Some(at), Some(comment)) = (end.bytes(12), end.u32(), end.u32(), end.u16())
    else {
        return Err(fault());
    };
    if end.rest.len() < usize::from(comment) {
        return Err(fault());
    }
    if size != IN_64 && at != IN_64 {
        return bounded(u64::from(at), u64::from(size));
    }
    // A locator of 20 bytes before the end record says where the 64-bit one is.
    let locator = found.checked_sub(20).map(|start| &tail[start..found]).ok_or_else(fault)?;
    let mut locator = Fields { rest: locator };
    if locator.u32() != Some(LOCATOR_64) || locator.u32().is_none() {
        return Err(fault());
    }
    let end_64 = locator.u64().and_then(|at| read_at(archive, at, 56)).ok_or_else(fault)?;
    let mut end_64 = Fields { rest: &end_64 };
    if end_64.u32() != Some(END_64) || end_64.bytes(36).is_none() {
        return Err(fault());
    }
    let (Some(size), Some(at)) = (end_64.u64(), end_64.u64()) else { return Err(fault()) };
    bounded(at, size)
}

fn bounded(at: u64, size: u64) -> Result<(u64, u64), String> {
    if size > MAX_DIRECTORY {
        return Err(broken("its directory is too long"));
    }
    Ok((at, size))
}

/// One entry of the directory.
fn member(fields: &mut Fields<'_>) -> Option<Member> {
    if fields.u32()? != ENTRY {
        return None;
    }
    fields.bytes(4)?;
    let flags = fields.u16()?;
    let method = fields.u16()?;
    fields.bytes(4)?;
    let crc = fields.u32()?;
    let mut packed = u64::from(fields.u32()?);
    let mut size = u64::from(fields.u32()?);
    let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
    fields.bytes(8)?;
    let mut at = u64::from(fields.u32()?);
    let name = String::from_utf8_lossy(fields.bytes(usize::from(name))?).into_owned();
    let mut extra = Fields { rest: fields.bytes(usize::from(extra))? };
    fields.bytes(usize::from(comment))?;
    while let (Some(kind), Some(len)) = (extra.u16(), extra.u16()) {
        let mut inner = Fields { rest: extra.bytes(usize::from(len))? };
        if kind == EXTRA_64 {
            // Only what did not fit stands here, in this order.
            for value in [&mut size, &mut packed, &mut at] {
                if *value == u64::from(IN_64) {
                    *value = inner.u64()?;
                }
            }
        }
    }
    Some(Member { name, flags, method, crc, packed, size, at })
}

/// Exactly these bytes. Memory grows with what is there, not with what was claimed.
fn read_at(archive: &mut (impl Read + Seek), at: u64, len: u64) -> Option<Vec<u8>> {
    archive.seek(SeekFrom::Start(at)).ok()?;
    let mut bytes = Vec::new();
    archive.by_ref().take(len).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == len).then_some(bytes)
}

/// The contents of a member, unpacked and checked against its sum.
pub fn unpack(archive: &mut (impl Read + Seek), member: &Member) -> Result<Vec<u8>, String> {
    if member.flags & ENCRYPTED != 0 {
        return Err(String::from("it is encrypted"));
    }
    let cut = || String::from("the archive is cut short or damaged");
    // The local header repeats the entry, with an extra field of another length.
    let header = read_at(archive, member.at, 30).ok_or_else(cut)?;
    let mut fields = Fields { rest: &header };
    if fields.u32() != Some(LOCAL) || fields.bytes(22).is_none() {
        return Err(cut());
    }
    let (Some(name), Some(extra)) = (fields.u16(), fields.u16()) else { return Err(cut()) };
    let start = member.at.checked_add(30 + u64::from(name) + u64::from(extra)).ok_or_else(cut)?;
    archive.seek(SeekFrom::Start(start)).map_err(|error| error.to_string())?;
    let packed = archive.by_ref().take(member.packed);
    let mut bytes = Vec::new();
    // One byte more than promised shows that there is more.
    let limit = member.size.saturating_add(1);
    let outcome = match member.method {
        0 => packed.take(limit).read_to_end(&mut bytes),
        8 => DeflateDecoder::new(packed).take(limit).read_to_end(&mut bytes),
        method => {
            return Err(format!("its compression (method {method}) is none that NumPy writes"));
        }
    };
    outcome.map_err(|_| cut())?;
    if bytes.len() as u64 != member.size || sum(&[&bytes]) != member.crc {
        return Err(cut());
    }
    Ok(bytes)
}

fn sum(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    for part in parts {
        crc.update(part);
    }
    crc.sum()
}

/// Writes an archive, member after member, stored without compression as `np.savez` does.
pub struct ArchiveWriter<W: Write> {
    writer: W,
    written: u64,
    members: Vec<Member>,
}

impl<W: Write> ArchiveWriter<W> {
    /// An archive without members.
    pub fn new(writer: W) -> ArchiveWriter<W> {
        ArchiveWriter { writer, written: 0, members: Vec::new() }
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.written += bytes.len() as u64;
        self.writer.write_all(bytes)
    }

    /// Adds a member whose contents are these parts, one after the other.
    pub fn add(&mut self, name: String, parts: &[&[u8]]) -> std::io::Result<()> {
        let size = parts.iter().map(|part| part.len() as u64).sum();
        let at = self.written;
        let member = Member { name, flags: UTF8, method: 0, crc: sum(parts), packed: size, size, at };
        let mut header = LOCAL.to_le_bytes().to_vec();
        append_common(&mut header, &member);
        append_u16s(&mut header, &[member.name.len() as u16, 20]);
        header.extend(member.name.as_bytes());
        append_u16s(&mut header, &[EXTRA_64, 16]);
        append_u64s(&mut header, &[size, size]);
        self.put(&header)?;
        for part in parts {
            self.put(part)?;
        }
        self.members.push(member);
        Ok(())
    }

    /// Writes the directory and the end.
    pub fn finish(mut self) -> std::io::Result<()> {
        let start = self.written;
        let count = self.members.len() as u64;
        let mut listing = Vec::new();
        for member in &self.members {
            append_entry(&mut listing, member);
        }
        let size = listing.len() as u64;
        // The 64-bit end, where it is, and the old end that points there.
        listing.extend(END_64.to_le_bytes());
        append_u64s(&mut listing, &[44]);
        append_u16s(&mut listing, &[VERSION, VERSION]);
        listing.extend([0; 8]);
        append_u64s(&mut listing, &[count, count, size, start]);
        listing.extend(LOCATOR_64.to_le_bytes());
        listing.extend([0; 4]);
        append_u64s(&mut listing, &[start + size]);
        listing.extend(1_u32.to_le_bytes());
        listing.extend(END.to_le_bytes());
        append_u16s(&mut listing, &[0, 0, u16::MAX, u16::MAX]);
        listing.extend([0xff; 8]);
        append_u16s(&mut listing, &[0]);
        self.put(&listing)?;
        self.writer.flush()
    }
}

/// Version to sizes: the same in a local header and in an entry; the sizes stand in the extra field.
fn append_common(bytes: &mut Vec<u8>, member: &Member) {
    append_u16s(bytes, &[VERSION, member.flags, member.method, 0, DATE]);
    bytes.extend(member.crc.to_le_bytes());
    bytes.extend([0xff; 8]);
}

fn append_entry(bytes: &mut Vec<u8>, member: &Member) {
    bytes.extend(ENTRY.to_le_bytes());
    append_u16s(bytes, &[VERSION]);
    append_common(bytes, member);
    append_u16s(bytes, &[member.name.len() as u16, 28, 0, 0, 0]);
    bytes.extend([0; 4]);
    bytes.extend(IN_64.to_le_bytes());
    bytes.extend(member.name.as_bytes());
    append_u16s(bytes, &[EXTRA_64, 24]);
    append_u64s(bytes, &[member.size, member.packed, member.at]);
}

fn append_u16s(bytes: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
}

fn append_u64s(bytes: &mut Vec<u8>, values: &[u64]) {
    values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use std::io::Cursor;

    fn written(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut archive = ArchiveWriter::new(&mut bytes);
        for (name, contents) in members {
            let (first, second) = contents.split_at(contents.len() / 2);
            archive.add((*name).to_owned(), &[first, second]).unwrap();
        }
        archive.finish().unwrap();
        bytes
    }

    fn contents(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut archive = Cursor::new(bytes);
        let found = members(&mut archive)?;
        found.iter().map(|member| Ok((member.name.clone(), unpack(&mut archive, member)?))).collect()
    }

    /// An archive as other programs write small ones: 32-bit sizes, a comment at the end.
    fn plain(method: u16, packed: &[u8], whole: &[u8]) -> Vec<u8> {
        let mut bytes = LOCAL.to_le_bytes().to_vec();
        let mut common = Vec::new();
        append_u16s(&mut common, &[20, 0, method, 0, DATE]);
        common.extend(sum(&[whole]).to_le_bytes());
        common.extend((packed.len() as u32).to_le_bytes());
        common.extend((whole.len() as u32).to_le_bytes());
        bytes.extend(&common);
        append_u16s(&mut bytes, &[1, 0]);
        bytes.push(b'x');
        bytes.extend(packed);
        let start = bytes.len() as u32;
        bytes.extend(ENTRY.to_le_bytes());
        append_u16s(&mut bytes, &[20]);
        bytes.extend(&common);
        append_u16s(&mut bytes, &[1, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.push(b'x');
        let size = bytes.len() as u32 - start;
        bytes.extend(END.to_le_bytes());
        append_u16s(&mut bytes, &[0, 0, 1, 1]);
        bytes.extend(size.to_le_bytes());
        bytes.extend(start.to_le_bytes());
        append_u16s(&mut bytes, &[5]);
        bytes.extend(b"hello");
        bytes
    }

    #[test]
    fn what_is_written_reads_back() {
        let bytes = written(&[("a.npy", b"first"), ("β.npy", b""), ("c.npy", &[7; 1000])]);
        let found = contents(&bytes).unwrap();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a.npy", "β.npy", "c.npy"]);
        assert_eq!((found[0].1.as_slice(), found[1].1.len(), found[2].1.len()), (&b"first"[..], 0, 1000));
        assert_eq!(contents(&written(&[])).unwrap(), []);
    }

    #[test]
    fn stored_and_deflated_members_of_others_read() {
        let whole = b"abcabcabcabc".repeat(20);
        assert_eq!(contents(&plain(0, &whole, &whole)).unwrap()[0].1, whole);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&whole).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(packed.len() < whole.len());
        assert_eq!(contents(&plain(8, &packed, &whole)).unwrap()[0].1, whole);
        assert!(contents(&plain(12, &packed, &whole)).unwrap_err().contains("method 12"));
    }

    #[test]
    fn damage_is_found_and_never_panics() {
        let bytes = written(&[("a.npy", b"some contents"), ("b.npy", b"more")]);
        let data_at = bytes.windows(4).position(|window| window == b"some").unwrap();
        let mut damaged = bytes.clone();
        damaged[data_at] ^= 1;
        assert!(contents(&damaged).unwrap_err().contains("damaged"));
        for cut in 0..bytes.len() {
            assert!(contents(&bytes[..cut]).is_err(), "{cut} bytes");
        }
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut odd = bytes.clone();
                odd[at] ^= flip;
                let _ = contents(&odd);
            }
        }
    }
}

//! Identifies inputs by their content, to detect files that change while they are read and
//! records that would be read twice.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use flate2::Crc;
use memchr::memmem;
use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::Xxh3;

use super::damage::{explain, zip_error};
use super::{File, Form, Inputs, Member};
use crate::error::{Error, Kind, Result};

/// Bytes read at a time when a file is hashed.
const HASH_CHUNK: usize = 1 << 20;
/// The first bytes of every gzip file: the magic number and the compression method.
const GZIP_START: &[u8] = &[0x1f, 0x8b, 8];
/// The length of the fixed part of a gzip header.
const GZIP_HEADER_BYTES: usize = 10;

/// The digests of a file as stored on disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Digest {
    sha256: [u8; 32],
    content: Content,
    /// CRC-32, as zip and gzip record it for their content; 0 if there is none to compare with.
    crc: u32,
    /// Whether it may be several gzip files in one; its trailer covers only the last.
    is_joined: bool,
}

/// Length and hash of a stream of bytes, good enough to detect changes at a fraction of the
/// cost of SHA-256.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Content {
    bytes: u64,
    hash: u128,
}

/// Computes a [`Content`].
#[derive(Default)]
struct ContentHasher {
    bytes: u64,
    hasher: Xxh3,
}

impl ContentHasher {
    fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes);
    }

    fn finish(&self) -> Content {
        Content { bytes: self.bytes, hash: self.hasher.digest128() }
    }
}

/// A digest in lower-case hexadecimal digits, as stored in the ledger.
#[must_use]
pub fn hex(digest: &[u8]) -> String {
    let mut text = String::with_capacity(2 * digest.len());
    for byte in digest {
        text.extend(
            [byte >> 4, byte & 15].map(|nibble| char::from(b"0123456789abcdef"[nibble as usize])),
        );
    }
    text
}

impl Inputs {
    /// Reads every file as stored on disk, on up to `threads` threads, and keeps its digests.
    /// From then on, reading a member to its end fails if its file has changed.
    ///
    /// # Errors
    /// If a file cannot be read, or if `stop` is set.
    pub fn identify(&mut self, threads: usize, stop: &AtomicBool) -> Result<()> {
        let next = AtomicUsize::new(0);
        let has_packed = self.members.iter().any(|member| member.form != Form::Plain);
        let work = || {
            let mut mine = Vec::new();
            let mut chunk = vec![0; HASH_CHUNK];
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = self.files.get(index) else {
                    return Ok(mine);
                };
                let with_crc = has_packed && file.archive.is_none();
                mine.push((index, file.digest(&mut chunk, with_crc, stop)?));
            }
        };
        let parts: Vec<Result<Vec<_>>> = std::thread::scope(|scope| {
            let count = threads.clamp(1, self.files.len().max(1));
            let handles: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
            handles.into_iter().map(join).collect()
        });
        let mut digests = vec![Digest::default(); self.files.len()];
        for part in parts {
            for (index, digest) in part? {
                digests[index] = digest;
            }
        }
        self.digests = digests;
        Ok(())
    }

    /// The SHA-256 of every file, in order, once they are identified.
    pub fn sha256s(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.digests.iter().map(|digest| &digest.sha256)
    }

    /// The SHA-256 of a member's file, once it is identified.
    #[must_use]
    pub fn sha256(&self, member: &Member) -> &[u8; 32] {
        &self.digests[member.file].sha256
    }

    /// The key of a member: the SHA-256 of its file, once it is identified, and its index in
    /// the archive.
    #[must_use]
    pub fn member_key(&self, member: &Member) -> Vec<u8> {
        let digest = self.digests.get(member.file);
        let mut key = digest.map_or_else(Vec::new, |digest| digest.sha256.to_vec());
        if let Form::Zip(index) = member.form {
            key.extend_from_slice(&(index as u64).to_be_bytes());
        }
        key
    }

    /// Refuses two members with the same content, unless they hold no records, as
    /// `has_records` says by index. Reads only packed members with equal size and CRC, and those
    /// whose size and CRC are not known otherwise.
    ///
    /// # Errors
    /// If two members are equal, naming both, or if one cannot be read.
    pub fn refuse_doubled(&self, has_records: impl Fn(usize) -> bool) -> Result<()> {
        let members = self.members.iter().enumerate();
        let members: Vec<&Member> =
            members.filter(|(index, _)| has_records(*index)).map(|(_, member)| member).collect();
        if members.len() < 2 {
            return Ok(());
        }
        let mut alike: HashMap<(u32, u32), Vec<&Member>> = HashMap::new();
        for member in members {
            alike.entry(self.size_and_crc(member)?).or_default().push(member);
        }
        for members in alike.into_values().filter(|members| members.len() > 1) {
            let mut known: HashMap<Content, &Member> = HashMap::new();
            for member in members {
                if let Some(before) = known.insert(self.content(member)?.0, member) {
                    let (one, other) = (&before.name, &member.name);
                    return Err(Error::usage(format!("{one} and {other} hold the same records"))
                        .hint("name only one of them, so that no record is read twice"));
                }
            }
        }
        Ok(())
    }

    /// The size and CRC of a member's content; the size modulo 2^32, as gzip records it.
    fn size_and_crc(&self, member: &Member) -> Result<(u32, u32)> {
        let (file, digest) = (&self.files[member.file], &self.digests[member.file]);
        let (size, crc) = match (member.form, &file.archive) {
            (Form::Zip(index), Some(directory)) => {
                let entry = directory.entry(index);
                let entry = entry.map_err(|e| zip_error(&member.name, e))?;
                (entry.size(), entry.crc32())
            }
            (Form::Gzip(crc), _) if !digest.is_joined => (member.bytes, crc),
            _ => {
                let (content, crc) = self.content(member)?;
                (content.bytes, crc)
            }
        };
        Ok((size as u32, crc))
    }

    /// Returns the digest of a member's content and its CRC, for which only a packed one is read.
    fn content(&self, member: &Member) -> Result<(Content, u32)> {
        if member.form == Form::Plain {
            let digest = &self.digests[member.file];
            return Ok((digest.content, digest.crc));
        }
        self.with_reader(member, |reader| {
            let (mut hasher, mut crc) = (ContentHasher::default(), Crc::new());
            let mut chunk = vec![0; HASH_CHUNK];
            loop {
                match reader.read(&mut chunk) {
                    Ok(0) => return Ok((hasher.finish(), crc.sum())),
                    Ok(read) => {
                        hasher.update(&chunk[..read]);
                        crc.update(&chunk[..read]);
                    }
                    Err(error) => return Err(explain(&member.name, error)),
                }
            }
        })
    }

    /// Fails if a file was read to its end and has changed.
    pub(super) fn check(&self, member: &Member, read: &Watched) -> Result<()> {
        let file = &self.files[member.file];
        let found = read.hasher.finish();
        let is_same = match self.digests.get(member.file) {
            Some(digest) => digest.content == found,
            None => file.size == found.bytes,
        };
        if is_same || !read.at_end {
            return Ok(());
        }
        Err(Error::bad_file(&file.name, "changed while it was being read").hint(
            "make sure that nothing writes to it; if rows were loaded, empty staging with \
             `sterna stage truncate`; then start over",
        ))
    }
}

/// Whether `bytes` contains what may be the header of a gzip file.
fn has_gzip_header(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, GZIP_START).any(|at| {
        let header = bytes[at..].first_chunk::<GZIP_HEADER_BYTES>();
        // Defined flags, compression level, and operating system.
        header
            .is_some_and(|h| h[3] < 32 && matches!(h[8], 0 | 2 | 4) && matches!(h[9], 0..=13 | 255))
    })
}

fn join<T>(handle: std::thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A file being read, with the digest of the bytes read so far.
pub(super) struct Watched {
    file: fs::File,
    hasher: ContentHasher,
    at_end: bool,
}

impl Watched {
    pub(super) fn new(file: fs::File) -> Self {
        Watched { file, hasher: ContentHasher::default(), at_end: false }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.at_end = read == 0;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

impl File {
    fn digest(&self, chunk: &mut [u8], with_crc: bool, stop: &AtomicBool) -> Result<Digest> {
        let failed = |e| Error::file(&*self.name, e);
        let mut file = fs::File::open(&self.path).map_err(failed)?;
        let mut digest = Digest::default();
        let (mut sha256, mut content, mut crc) =
            (Sha256::new(), ContentHasher::default(), Crc::new());
        let mut is_gzip = false;
        // A header may span two chunks: the end of each is kept in front of the next.
        let kept = GZIP_HEADER_BYTES - 1;
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::new(
                    Kind::Interrupted,
                    "interrupted before anything was written",
                ));
            }
            let read = file.read(&mut chunk[kept..]).map_err(failed)?;
            if read == 0 {
                break;
            }
            let bytes = &chunk[kept..kept + read];
            sha256.update(bytes);
            content.update(bytes);
            if with_crc {
                crc.update(bytes);
            }
            let is_first = content.bytes == read as u64;
            is_gzip |= is_first && bytes.starts_with(GZIP_START);
            let unseen = if is_first { kept + 1 } else { 0 };
            digest.is_joined |= is_gzip && has_gzip_header(&chunk[unseen..kept + read]);
            chunk.copy_within(read..read + kept, 0);
        }
        digest.sha256 = sha256.finalize().into();
        (digest.content, digest.crc) = (content.finish(), crc.sum());
        Ok(digest)
    }
}

//! The files and descriptors of one command, all in memory: stdin, stdout, stderr and one folder, `/out`, whose files become
//! artifacts. Counts and bytes are bounded here.
use crate::outcome::Artifact;
use crate::script_host::{ARTIFACT_NAME_BYTES_MAX, is_artifact_name};
use crate::stop::Stop;
use crate::wasi::Errno;
use std::collections::{BTreeMap, BTreeSet};

/// Open descriptors of one command. Standard C promises a program 20 files; this is ample.
const DESCRIPTORS_MAX: usize = 128;
/// Folders that a command may make.
const FOLDERS_MAX: usize = 256;
/// Files that were ever created, also those removed since.
const FILES_CREATED_MAX: usize = 4_096;

#[derive(Clone, Debug)]
pub enum Descriptor {
    Stdin { position: usize },
    Stdout,
    Stderr,
    Folder { path: String },
    File { file: usize, position: u64, flags: FileFlags },
}

#[derive(Clone, Copy, Debug, Default)]
pub struct FileFlags {
    pub read: bool,
    pub write: bool,
    pub append: bool,
}

#[derive(Debug, Default)]
struct File {
    bytes: Vec<u8>,
}

pub struct FileTree {
    descriptors: Vec<Option<Descriptor>>,
    /// All that were created; a name or a descriptor refers to one by its index.
    files: Vec<File>,
    names: BTreeMap<String, usize>,
    folders: BTreeSet<String>,
    bytes: usize,
    bytes_max: usize,
    count_max: usize,
}

/// Descriptor of the folder `/out`.
pub const OUT_FOLDER: u32 = 3;
pub const OUT_FOLDER_NAME: &str = "/out";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Folder,
    File(usize),
}

impl FileTree {
    pub fn new(count_max: usize, bytes_max: usize) -> Self {
        let descriptors = vec![
            Some(Descriptor::Stdin { position: 0 }),
            Some(Descriptor::Stdout),
            Some(Descriptor::Stderr),
            Some(Descriptor::Folder { path: String::new() }),
        ];
        Self { descriptors, files: Vec::new(), names: BTreeMap::new(), folders: BTreeSet::new(), bytes: 0, bytes_max, count_max }
    }

    pub fn descriptor(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.descriptors.get_mut(fd as usize).and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    pub fn open(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        let fd = match self.descriptors.iter().position(Option::is_none) {
            Some(free) => free,
            None if self.descriptors.len() < DESCRIPTORS_MAX => {
                self.descriptors.push(None);
                self.descriptors.len() - 1
            }
            None => return Err(Errno::Mfile),
        };
        self.descriptors[fd] = Some(descriptor);
        Ok(fd as u32)
    }

    pub fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.descriptor(fd)?;
        self.descriptors[fd as usize] = None;
        Ok(())
    }

    pub fn renumber(&mut self, from: u32, to: u32) -> Result<(), Errno> {
        self.descriptor(to)?;
        self.descriptor(from)?;
        if from != to {
            self.descriptors[to as usize] = self.descriptors[from as usize].take();
        }
        Ok(())
    }

    /// Path inside `/out` of what a guest names relative to the folder of a descriptor; the folder itself is empty.
    pub fn resolve(&mut self, fd: u32, path: &[u8]) -> Result<String, Errno> {
        let Descriptor::Folder { path: base } = self.descriptor(fd)? else { return Err(Errno::Notdir) };
        let path = std::str::from_utf8(path).map_err(|_| Errno::Ilseq)?;
        if path.is_empty() {
            return Err(Errno::Noent);
        }
        if path.starts_with('/') {
            return Err(Errno::Notcapable);
        }
        let mut segments: Vec<&str> = base.split('/').filter(|segment| !segment.is_empty()).collect();
        for segment in path.split('/') {
            match segment {
                "" | "." => {}
                ".." => segments.pop().map(|_| ()).ok_or(Errno::Notcapable)?,
                name => segments.push(name),
            }
        }
        let resolved = segments.join("/");
        if resolved.len() > ARTIFACT_NAME_BYTES_MAX {
            return Err(Errno::Nametoolong);
        }
        if !resolved.is_empty() && !is_artifact_name(&resolved) {
            return Err(Errno::Inval);
        }
        Ok(resolved)
    }

    pub fn find(&self, path: &str) -> Option<Entry> {
        if path.is_empty() || self.folders.contains(path) {
            return Some(Entry::Folder);
        }
        self.names.get(path).copied().map(Entry::File)
    }

    /// A name can only be made in a folder that exists.
    fn check_parent(&self, path: &str) -> Result<(), Errno> {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        match self.find(parent) {
            Some(Entry::Folder) => Ok(()),
            Some(Entry::File(_)) => Err(Errno::Notdir),
            None => Err(Errno::Noent),
        }
    }

    pub fn create_file(&mut self, path: &str) -> Result<Result<usize, Errno>, Stop> {
        if let Err(errno) = self.check_parent(path) {
            return Ok(Err(errno));
        }
        if self.names.len() >= self.count_max {
            return Err(Stop::OutputLimit(format!("more than the allowed {} artifacts", self.count_max)));
        }
        if self.files.len() >= FILES_CREATED_MAX {
            return Ok(Err(Errno::Nospc));
        }
        self.files.push(File::default());
        self.names.insert(path.to_owned(), self.files.len() - 1);
        Ok(Ok(self.files.len() - 1))
    }

    pub fn create_folder(&mut self, path: &str) -> Result<(), Errno> {
        if self.find(path).is_some() {
            return Err(Errno::Exist);
        }
        self.check_parent(path)?;
        if self.folders.len() >= FOLDERS_MAX {
            return Err(Errno::Nospc);
        }
        self.folders.insert(path.to_owned());
        Ok(())
    }

    pub fn remove_folder(&mut self, path: &str) -> Result<(), Errno> {
        match self.find(path) {
            None => return Err(Errno::Noent),
            Some(Entry::File(_)) => return Err(Errno::Notdir),
            Some(Entry::Folder) if path.is_empty() => return Err(Errno::Notcapable),
            Some(Entry::Folder) => {}
        }
        if !self.children(path).is_empty() {
            return Err(Errno::Notempty);
        }
        self.folders.remove(path);
        Ok(())
    }

    pub fn unlink_file(&mut self, path: &str) -> Result<(), Errno> {
        match self.find(path) {
            None => Err(Errno::Noent),
            Some(Entry::Folder) => Err(Errno::Isdir),
            Some(Entry::File(file)) => {
                self.names.remove(path);
                self.free_unless_open(file);
                Ok(())
            }
        }
    }

    /// Bytes of an unlinked file stay readable through descriptors that are open, and count until the run ends.
    fn free_unless_open(&mut self, file: usize) {
        let is_open =
            self.descriptors.iter().flatten().any(|open| matches!(open, Descriptor::File { file: other, .. } if *other == file));
        if !is_open {
            self.bytes -= std::mem::take(&mut self.files[file].bytes).len();
        }
    }

    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let entry = self.find(from).ok_or(Errno::Noent)?;
        self.check_parent(to)?;
        match (entry, self.find(to)) {
            _ if from == to => Ok(()),
            (Entry::File(_), Some(Entry::Folder)) => Err(Errno::Isdir),
            (Entry::File(file), other) => {
                self.names.remove(from);
                if let Some(Entry::File(replaced)) = other {
                    self.free_unless_open(replaced);
                }
                self.names.insert(to.to_owned(), file);
                Ok(())
            }
            // Moving whole folders serves no program that writes artifacts.
            (Entry::Folder, _) => Err(Errno::Notsup),
        }
    }

    /// Names directly in a folder, with what they are.
    pub fn children(&self, path: &str) -> Vec<(String, Entry)> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let direct = |name: &&String| name.strip_prefix(&prefix).is_some_and(|rest| !rest.is_empty() && !rest.contains('/'));
        let folders = self.folders.iter().filter(direct).map(|name| (name[prefix.len()..].to_owned(), Entry::Folder));
        let files = self
            .names
            .iter()
            .filter(|(name, _)| direct(name))
            .map(|(name, file)| (name[prefix.len()..].to_owned(), Entry::File(*file)));
        let mut all: Vec<_> = folders.chain(files).collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    pub fn file_bytes(&self, file: usize) -> &[u8] {
        &self.files[file].bytes
    }

    pub fn resize_file(&mut self, file: usize, length: u64) -> Result<(), Stop> {
        let bytes = &mut self.files[file].bytes;
        let others = self.bytes - bytes.len();
        let room = (self.bytes_max - others) as u64;
        if length > room {
            let wanted = (others as u64).saturating_add(length);
            return Err(Stop::OutputLimit(format!("artifacts of {wanted} bytes, allowed are {}", self.bytes_max)));
        }
        bytes.resize(length as usize, 0);
        self.bytes = others + bytes.len();
        Ok(())
    }

    /// Bytes between the old end and `at` read as zeros.
    pub fn write_file(&mut self, file: usize, at: u64, data: &[u8]) -> Result<(), Stop> {
        let end = at.saturating_add(data.len() as u64);
        if end > self.files[file].bytes.len() as u64 {
            self.resize_file(file, end)?;
        }
        self.files[file].bytes[at as usize..end as usize].copy_from_slice(data);
        Ok(())
    }

    /// The files that have a name at the end, in the order of their names.
    pub fn into_artifacts(mut self) -> Vec<Artifact> {
        let names = std::mem::take(&mut self.names);
        names.into_iter().map(|(name, file)| Artifact { name, bytes: std::mem::take(&mut self.files[file].bytes) }).collect()
    }
}

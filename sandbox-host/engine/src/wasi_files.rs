//! WASI preview 1: what is done with an open descriptor.
use crate::file_tree::{Descriptor, Entry, FileTree, OUT_FOLDER, OUT_FOLDER_NAME};
use crate::guest::{bytes, bytes_mut, read_u32, write, write_u32, write_u64};
use crate::store::GuestState;
use crate::wasi::{Done, Errno, Fault, MODULE, answer, checked};
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, GuestState>;

/// `filetype` of the published witx.
pub const CHARACTER_DEVICE: u8 = 2;
pub const DIRECTORY: u8 = 3;
pub const REGULAR_FILE: u8 = 4;

pub fn define(linker: &mut Linker<GuestState>) -> Result<()> {
    linker.func_wrap(MODULE, "fd_close", |c: C<'_>, fd: u32| answer(c, |_, s| Ok(files(s)?.close(fd)?)))?;
    linker
        .func_wrap(MODULE, "fd_renumber", |c: C<'_>, from: u32, to: u32| answer(c, |_, s| Ok(files(s)?.renumber(from, to)?)))?;
    linker.func_wrap(MODULE, "fd_advise", |c: C<'_>, fd: u32, _: u64, _: u64, _: u32| answer(c, |_, s| exists(s, fd)))?;
    linker.func_wrap(MODULE, "fd_sync", |c: C<'_>, fd: u32| answer(c, |_, s| exists(s, fd)))?;
    linker.func_wrap(MODULE, "fd_datasync", |c: C<'_>, fd: u32| answer(c, |_, s| exists(s, fd)))?;
    linker.func_wrap(MODULE, "fd_fdstat_set_rights", |c: C<'_>, fd: u32, _: u64, _: u64| answer(c, |_, s| exists(s, fd)))?;
    linker.func_wrap(MODULE, "fd_filestat_set_times", |c: C<'_>, fd: u32, _: u64, _: u64, _: u32| {
        answer(c, |_, s| exists(s, fd))
    })?;
    linker.func_wrap(MODULE, "fd_allocate", |c: C<'_>, fd: u32, at: u64, length: u64| {
        answer(c, |_, s| allocate(s, fd, at, length))
    })?;
    linker.func_wrap(MODULE, "fd_fdstat_get", |c: C<'_>, fd: u32, to: u32| answer(c, |m, s| fdstat_get(m, s, fd, to)))?;
    linker.func_wrap(MODULE, "fd_fdstat_set_flags", |c: C<'_>, fd: u32, flags: u32| {
        answer(c, |_, s| fdstat_set_flags(s, fd, flags))
    })?;
    linker.func_wrap(MODULE, "fd_filestat_get", |c: C<'_>, fd: u32, to: u32| answer(c, |m, s| filestat_get(m, s, fd, to)))?;
    linker.func_wrap(MODULE, "fd_filestat_set_size", |c: C<'_>, fd: u32, size: u64| answer(c, |_, s| set_size(s, fd, size)))?;
    linker.func_wrap(MODULE, "fd_prestat_get", |c: C<'_>, fd: u32, to: u32| answer(c, |m, s| prestat_get(m, s, fd, to)))?;
    linker.func_wrap(MODULE, "fd_prestat_dir_name", |c: C<'_>, fd: u32, to: u32, length: u32| {
        answer(c, |m, s| prestat_dir_name(m, s, fd, to, length))
    })?;
    linker.func_wrap(MODULE, "fd_read", |c: C<'_>, fd: u32, vectors: u32, count: u32, done: u32| {
        answer(c, |m, s| read(m, s, Transfer { fd, vectors, count, done, at: None }))
    })?;
    linker.func_wrap(MODULE, "fd_pread", |c: C<'_>, fd: u32, vectors: u32, count: u32, at: u64, done: u32| {
        answer(c, |m, s| read(m, s, Transfer { fd, vectors, count, done, at: Some(at) }))
    })?;
    linker.func_wrap(MODULE, "fd_write", |c: C<'_>, fd: u32, vectors: u32, count: u32, done: u32| {
        answer(c, |m, s| write_all(m, s, Transfer { fd, vectors, count, done, at: None }))
    })?;
    linker.func_wrap(MODULE, "fd_pwrite", |c: C<'_>, fd: u32, vectors: u32, count: u32, at: u64, done: u32| {
        answer(c, |m, s| write_all(m, s, Transfer { fd, vectors, count, done, at: Some(at) }))
    })?;
    linker.func_wrap(MODULE, "fd_seek", |c: C<'_>, fd: u32, offset: i64, whence: u32, to: u32| {
        answer(c, |m, s| {
            let position = seek(s, fd, offset, whence)?;
            checked(write_u64(m, to, position))
        })
    })?;
    linker.func_wrap(MODULE, "fd_tell", |c: C<'_>, fd: u32, to: u32| {
        answer(c, |m, s| {
            let position = seek(s, fd, 0, 1)?;
            checked(write_u64(m, to, position))
        })
    })?;
    linker.func_wrap(MODULE, "fd_readdir", |c: C<'_>, fd: u32, to: u32, length: u32, cookie: u64, used: u32| {
        answer(c, |m, s| readdir(m, s, fd, Listing { to, length, cookie, used }))
    })?;
    Ok(())
}

/// A script has no files.
pub fn files(state: &mut GuestState) -> std::result::Result<&mut FileTree, Fault> {
    state.files.as_deref_mut().ok_or(Fault::Errno(Errno::Badf))
}

fn exists(state: &mut GuestState, fd: u32) -> Done {
    files(state)?.descriptor(fd)?;
    Ok(())
}

/// The index of the file behind a descriptor.
fn file_of(state: &mut GuestState, fd: u32) -> std::result::Result<usize, Fault> {
    match files(state)?.descriptor(fd)? {
        Descriptor::File { file, .. } => Ok(*file),
        Descriptor::Folder { .. } => Err(Errno::Isdir.into()),
        _ => Err(Errno::Inval.into()),
    }
}

fn writable_file(state: &mut GuestState, fd: u32) -> std::result::Result<usize, Fault> {
    match files(state)?.descriptor(fd)? {
        Descriptor::File { flags, .. } if !flags.write => Err(Errno::Badf.into()),
        _ => file_of(state, fd),
    }
}

fn allocate(state: &mut GuestState, fd: u32, at: u64, length: u64) -> Done {
    let file = writable_file(state, fd)?;
    let files = files(state)?;
    let wanted = at.saturating_add(length).max(files.file_bytes(file).len() as u64);
    files.resize_file(file, wanted)?;
    state.charge(usize::try_from(length).unwrap_or(usize::MAX));
    Ok(())
}

fn set_size(state: &mut GuestState, fd: u32, size: u64) -> Done {
    let file = writable_file(state, fd)?;
    let tree = files(state)?;
    let grown = size.saturating_sub(tree.file_bytes(file).len() as u64);
    tree.resize_file(file, size)?;
    state.charge(grown as usize);
    Ok(())
}

fn fdstat_get(memory: &mut [u8], state: &mut GuestState, fd: u32, to: u32) -> Done {
    let (kind, flags) = match files(state)?.descriptor(fd)? {
        Descriptor::Folder { .. } => (DIRECTORY, 0),
        Descriptor::File { flags, .. } => (REGULAR_FILE, u8::from(flags.append)),
        _ => (CHARACTER_DEVICE, 0),
    };
    let mut stat = [0; 24];
    stat[0] = kind;
    stat[2] = flags;
    // All rights. A character device with the right to seek is no terminal to a C library, which then buffers whole blocks.
    stat[8..24].fill(0xff);
    checked(write(memory, to, &stat))
}

fn fdstat_set_flags(state: &mut GuestState, fd: u32, wanted: u32) -> Done {
    if let Descriptor::File { flags, .. } = files(state)?.descriptor(fd)? {
        flags.append = wanted & 1 == 1;
    }
    Ok(())
}

fn filestat_get(memory: &mut [u8], state: &mut GuestState, fd: u32, to: u32) -> Done {
    let files = files(state)?;
    let stat = match files.descriptor(fd)?.clone() {
        Descriptor::Folder { .. } => filestat(Entry::Folder, files),
        Descriptor::File { file, .. } => filestat(Entry::File(file), files),
        _ => filestat_of(CHARACTER_DEVICE, u64::from(fd), 0),
    };
    checked(write(memory, to, &stat))
}

pub fn filestat(entry: Entry, files: &FileTree) -> [u8; 64] {
    match entry {
        Entry::Folder => filestat_of(DIRECTORY, 0, 0),
        Entry::File(file) => filestat_of(REGULAR_FILE, 1_000 + file as u64, files.file_bytes(file).len() as u64),
    }
}

/// Times are zero: they would only tell when a deterministic run wrote what.
fn filestat_of(kind: u8, inode: u64, size: u64) -> [u8; 64] {
    let mut stat = [0; 64];
    stat[8..16].copy_from_slice(&inode.to_le_bytes());
    stat[16] = kind;
    stat[24..32].copy_from_slice(&1u64.to_le_bytes());
    stat[32..40].copy_from_slice(&size.to_le_bytes());
    stat
}

fn prestat_get(memory: &mut [u8], state: &mut GuestState, fd: u32, to: u32) -> Done {
    preopened(state, fd)?;
    checked(write_u32(memory, to, 0))?;
    checked(write_u32(memory, checked(to.checked_add(4))?, OUT_FOLDER_NAME.len() as u32))
}

fn prestat_dir_name(memory: &mut [u8], state: &mut GuestState, fd: u32, to: u32, length: u32) -> Done {
    preopened(state, fd)?;
    if (length as usize) < OUT_FOLDER_NAME.len() {
        return Err(Errno::Nametoolong.into());
    }
    checked(write(memory, to, OUT_FOLDER_NAME.as_bytes()))
}

fn preopened(state: &mut GuestState, fd: u32) -> Done {
    match files(state)?.descriptor(fd)? {
        Descriptor::Folder { path } if fd == OUT_FOLDER && path.is_empty() => Ok(()),
        // C libraries ask every number from 3 on and stop at this error.
        _ => Err(Errno::Badf.into()),
    }
}

struct Transfer {
    fd: u32,
    vectors: u32,
    count: u32,
    done: u32,
    /// Where in the file; without it, at the descriptor's position, which moves.
    at: Option<u64>,
}

/// A bound for the host's own loops.
const VECTORS_MAX: u32 = 1_024;

impl Transfer {
    /// Address and length of each buffer.
    fn buffers(&self, memory: &[u8]) -> std::result::Result<Vec<(u32, u32)>, Fault> {
        if self.count > VECTORS_MAX {
            return Err(Errno::Inval.into());
        }
        let table = checked(bytes(memory, self.vectors, self.count * 8))?;
        (0..self.count)
            .map(|number| Ok((checked(read_u32(table, number * 8))?, checked(read_u32(table, number * 8 + 4))?)))
            .collect()
    }
}

fn read(memory: &mut [u8], state: &mut GuestState, transfer: Transfer) -> Done {
    let buffers = transfer.buffers(memory)?;
    let tree = state.files.as_deref_mut().ok_or(Errno::Badf)?;
    let descriptor = tree.descriptor(transfer.fd)?.clone();
    let (source, position) = match &descriptor {
        Descriptor::Stdin { position } if transfer.at.is_none() => (&state.input[..], *position as u64),
        Descriptor::Stdin { .. } => return Err(Errno::Spipe.into()),
        Descriptor::File { flags, .. } if !flags.read => return Err(Errno::Badf.into()),
        Descriptor::File { file, position, .. } => (tree.file_bytes(*file), transfer.at.unwrap_or(*position)),
        Descriptor::Folder { .. } => return Err(Errno::Isdir.into()),
        Descriptor::Stdout | Descriptor::Stderr => return Err(Errno::Badf.into()),
    };
    let mut rest = source.get(usize::try_from(position).unwrap_or(usize::MAX)..).unwrap_or_default();
    let available = rest.len();
    for (at, length) in buffers {
        let (part, others) = rest.split_at(rest.len().min(length as usize));
        checked(write(memory, at, part))?;
        rest = others;
    }
    let done = available - rest.len();
    state.host_bytes += done as u64;
    match tree.descriptor(transfer.fd)? {
        Descriptor::Stdin { position } => *position += done,
        Descriptor::File { position, .. } if transfer.at.is_none() => *position += done as u64,
        _ => {}
    }
    checked(write_u32(memory, transfer.done, done as u32))
}

fn write_all(memory: &mut [u8], state: &mut GuestState, transfer: Transfer) -> Done {
    let mut done: u32 = 0;
    for (at, length) in transfer.buffers(memory)? {
        let data = checked(bytes(memory, at, length))?;
        write_one(state, &transfer, u64::from(done), data)?;
        done = done.checked_add(length).ok_or(Errno::Inval)?;
    }
    checked(write_u32(memory, transfer.done, done))
}

fn write_one(state: &mut GuestState, transfer: &Transfer, done: u64, data: &[u8]) -> Done {
    state.charge(data.len());
    // What the script engine itself writes is told to its author.
    let Some(tree) = state.files.as_deref_mut() else {
        state.write_stderr(data);
        return Ok(());
    };
    match tree.descriptor(transfer.fd)?.clone() {
        Descriptor::Stdout if transfer.at.is_none() => Ok(state.write_output(data)?),
        Descriptor::Stderr if transfer.at.is_none() => {
            state.write_stderr(data);
            Ok(())
        }
        Descriptor::Stdout | Descriptor::Stderr => Err(Errno::Spipe.into()),
        Descriptor::File { file, position, flags } if flags.write => {
            let start = match transfer.at {
                Some(at) => at.saturating_add(done),
                None if flags.append => tree.file_bytes(file).len() as u64,
                None => position,
            };
            tree.write_file(file, start, data)?;
            if transfer.at.is_none()
                && let Descriptor::File { position, .. } = tree.descriptor(transfer.fd)?
            {
                *position = start + data.len() as u64;
            }
            Ok(())
        }
        Descriptor::Folder { .. } => Err(Errno::Isdir.into()),
        Descriptor::File { .. } | Descriptor::Stdin { .. } => Err(Errno::Badf.into()),
    }
}

fn seek(state: &mut GuestState, fd: u32, offset: i64, whence: u32) -> std::result::Result<u64, Fault> {
    let tree = files(state)?;
    let Descriptor::File { file, position, .. } = tree.descriptor(fd)?.clone() else { return Err(Errno::Spipe.into()) };
    let base = match whence {
        0 => 0,
        1 => position,
        2 => tree.file_bytes(file).len() as u64,
        _ => return Err(Errno::Inval.into()),
    };
    let moved = base.checked_add_signed(offset).ok_or(Errno::Inval)?;
    if let Descriptor::File { position, .. } = tree.descriptor(fd)? {
        *position = moved;
    }
    Ok(moved)
}

struct Listing {
    to: u32,
    length: u32,
    cookie: u64,
    used: u32,
}

/// About what finding and sorting one name costs, in bytes copied.
const LISTING_BYTES_PER_NAME: u64 = 1_024;

/// Entries are cut off at the end of the buffer, as the interface wants it: the guest comes back with a larger one.
fn readdir(memory: &mut [u8], state: &mut GuestState, fd: u32, listing: Listing) -> Done {
    let tree = state.files.as_deref_mut().ok_or(Errno::Badf)?;
    let Descriptor::Folder { path } = tree.descriptor(fd)?.clone() else { return Err(Errno::Notdir.into()) };
    let buffer = checked(bytes_mut(memory, listing.to, listing.length))?;
    let mut used = 0;
    let children = tree.children(&path);
    state.host_bytes += LISTING_BYTES_PER_NAME * children.len() as u64;
    for (number, (name, entry)) in children.iter().enumerate().skip(usize::try_from(listing.cookie).unwrap_or(usize::MAX)) {
        let stat = filestat(*entry, tree);
        let mut record = Vec::with_capacity(24 + name.len());
        record.extend_from_slice(&(number as u64 + 1).to_le_bytes());
        record.extend_from_slice(&stat[8..16]);
        record.extend_from_slice(&(name.len() as u32).to_le_bytes());
        record.extend_from_slice(&[stat[16], 0, 0, 0]);
        record.extend_from_slice(name.as_bytes());
        let part = record.len().min(buffer.len() - used);
        buffer[used..used + part].copy_from_slice(&record[..part]);
        used += part;
        if used == buffer.len() {
            break;
        }
    }
    checked(write_u32(memory, listing.used, used as u32))
}

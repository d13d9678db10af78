//! WASI preview 1: what is done with names. All of them lie in the folder `/out`; there are no links.
use crate::file_tree::{Descriptor, Entry, FileFlags};
use crate::guest::{bytes, write, write_u32};
use crate::store::GuestState;
use crate::wasi::{Errno, Fault, MODULE, answer, checked};
use crate::wasi_files::{files, filestat};
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, GuestState>;

/// `oflags` of the published witx.
const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;
/// `rights` that tell for what a file is opened.
const RIGHT_READ: u64 = 1 << 1;
const RIGHT_WRITE: u64 = 1 << 6;

pub fn define(linker: &mut Linker<GuestState>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "path_open",
        |c: C<'_>, fd: u32, _: u32, at: u32, length: u32, open: u32, rights: u64, _: u64, flags: u32, to: u32| {
            answer(c, |m, s| {
                let path = path_of(m, s, fd, at, length)?;
                let fd = open_path(s, path, Opening { open, rights, append: flags & 1 == 1 })?;
                checked(write_u32(m, to, fd))
            })
        },
    )?;
    linker.func_wrap(MODULE, "path_create_directory", |c: C<'_>, fd: u32, at: u32, length: u32| {
        answer(c, |m, s| {
            let path = path_of(m, s, fd, at, length)?;
            Ok(files(s)?.create_folder(&path)?)
        })
    })?;
    linker.func_wrap(MODULE, "path_remove_directory", |c: C<'_>, fd: u32, at: u32, length: u32| {
        answer(c, |m, s| {
            let path = path_of(m, s, fd, at, length)?;
            Ok(files(s)?.remove_folder(&path)?)
        })
    })?;
    linker.func_wrap(MODULE, "path_unlink_file", |c: C<'_>, fd: u32, at: u32, length: u32| {
        answer(c, |m, s| {
            let path = path_of(m, s, fd, at, length)?;
            Ok(files(s)?.unlink_file(&path)?)
        })
    })?;
    linker.func_wrap(MODULE, "path_rename", |c: C<'_>, fd: u32, at: u32, length: u32, to_fd: u32, to: u32, to_length: u32| {
        answer(c, |m, s| {
            let from = path_of(m, s, fd, at, length)?;
            let to = path_of(m, s, to_fd, to, to_length)?;
            Ok(files(s)?.rename(&from, &to)?)
        })
    })?;
    linker.func_wrap(MODULE, "path_filestat_get", |c: C<'_>, fd: u32, _: u32, at: u32, length: u32, to: u32| {
        answer(c, |m, s| {
            let path = path_of(m, s, fd, at, length)?;
            let tree = files(s)?;
            let stat = filestat(tree.find(&path).ok_or(Errno::Noent)?, tree);
            checked(write(m, to, &stat))
        })
    })?;
    linker.func_wrap(
        MODULE,
        "path_filestat_set_times",
        |c: C<'_>, fd: u32, _: u32, at: u32, length: u32, _: u64, _: u64, _: u32| {
            answer(c, |m, s| {
                let path = path_of(m, s, fd, at, length)?;
                files(s)?.find(&path).ok_or(Errno::Noent)?;
                Ok(())
            })
        },
    )?;
    linker.func_wrap(MODULE, "path_link", |_: u32, _: u32, _: u32, _: u32, _: u32, _: u32, _: u32| Errno::Notsup as i32)?;
    linker.func_wrap(MODULE, "path_symlink", |_: u32, _: u32, _: u32, _: u32, _: u32| Errno::Notsup as i32)?;
    linker.func_wrap(MODULE, "path_readlink", |c: C<'_>, fd: u32, at: u32, length: u32, _: u32, _: u32, _: u32| {
        answer(c, |m, s| {
            let path = path_of(m, s, fd, at, length)?;
            files(s)?.find(&path).ok_or(Errno::Noent)?;
            Err(Errno::Inval.into())
        })
    })?;
    Ok(())
}

/// Longest text that is looked at as a path.
const PATH_BYTES_MAX: u32 = 4_096;

/// About what finding a name costs, in bytes copied.
const NAME_BYTES: usize = 1_024;

fn path_of(memory: &[u8], state: &mut GuestState, fd: u32, at: u32, length: u32) -> std::result::Result<String, Fault> {
    if length > PATH_BYTES_MAX {
        return Err(Errno::Nametoolong.into());
    }
    let path = checked(bytes(memory, at, length))?;
    state.charge(NAME_BYTES);
    Ok(files(state)?.resolve(fd, path)?)
}

struct Opening {
    open: u32,
    rights: u64,
    append: bool,
}

fn open_path(state: &mut GuestState, path: String, opening: Opening) -> std::result::Result<u32, Fault> {
    let has = |flag| opening.open & flag == flag;
    let tree = files(state)?;
    let file = match tree.find(&path) {
        Some(_) if has(CREATE | EXCLUSIVE) => return Err(Errno::Exist.into()),
        Some(Entry::Folder) if opening.rights & RIGHT_WRITE != 0 && !has(DIRECTORY) => return Err(Errno::Isdir.into()),
        Some(Entry::Folder) => return Ok(tree.open(Descriptor::Folder { path })?),
        Some(Entry::File(_)) if has(DIRECTORY) => return Err(Errno::Notdir.into()),
        Some(Entry::File(file)) => file,
        None if has(CREATE) && !has(DIRECTORY) => tree.create_file(&path)??,
        None => return Err(Errno::Noent.into()),
    };
    if has(TRUNCATE) {
        tree.resize_file(file, 0)?;
    }
    let flags =
        FileFlags { read: opening.rights & RIGHT_READ != 0, write: opening.rights & RIGHT_WRITE != 0, append: opening.append };
    Ok(tree.open(Descriptor::File { file, position: 0, flags })?)
}

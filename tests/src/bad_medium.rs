//! A medium that lies: a small file system in memory, mounted with FUSE, whose hardware fails as cheap sticks do. What the system
//! has cached of it stays cached, as with real disks, so that only a reader who asks the medium itself finds out.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

/// What is wrong with the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Writing fails from this byte on, counted over all files.
    WritingFailsAt(u64),
    /// It takes everything and keeps only so many bytes, counted over all files: the rest reads as zeros.
    KeepsOnly(u64),
    /// Reading fails where this byte of a file is read.
    ReadingFailsAt(u64),
    /// A bit turns when a file is flushed.
    TurnsABitOnFlush,
}

/// How long the kernel may believe what it was told.
const BELIEVED: Duration = Duration::from_secs(3_600);
const ROOT: u64 = 1;

/// A mounted medium. It is unmounted with the value.
pub struct BadMedium(#[allow(dead_code, reason = "it unmounts")] BackgroundSession);

impl BadMedium {
    /// Mounts one.
    ///
    /// # Panics
    /// When FUSE is not there.
    pub fn mount(at: &Path, fault: Fault) -> BadMedium {
        let root = Inode { parent: ROOT, name: OsString::new(), content: None };
        let state = State { inodes: BTreeMap::from([(ROOT, root)]), next: ROOT + 1, written: 0 };
        let medium = Medium { fault, state: Mutex::new(state) };
        BadMedium(fuser::spawn_mount(medium, at, &Config::default()).unwrap())
    }
}

struct Medium {
    fault: Fault,
    state: Mutex<State>,
}

struct State {
    inodes: BTreeMap<u64, Inode>,
    next: u64,
    written: u64,
}

struct Inode {
    parent: u64,
    name: OsString,
    /// None: a directory.
    content: Option<Vec<u8>>,
}

impl Medium {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, parent: INodeNo, name: &OsStr) -> Option<u64> {
        let found =
            self.inodes.iter().find(|(id, inode)| **id != ROOT && inode.parent == parent.0 && inode.name == name);
        found.map(|(id, _)| *id)
    }

    fn add(&mut self, parent: INodeNo, name: &OsStr, content: Option<Vec<u8>>) -> FileAttr {
        let id = self.next;
        self.next += 1;
        self.inodes.insert(id, Inode { parent: parent.0, name: name.to_owned(), content });
        self.attributes(id).unwrap()
    }

    fn attributes(&self, id: u64) -> Option<FileAttr> {
        let inode = self.inodes.get(&id)?;
        let size = inode.content.as_ref().map_or(0, |content| content.len() as u64);
        let kind = if inode.content.is_some() { FileType::RegularFile } else { FileType::Directory };
        Some(FileAttr {
            ino: INodeNo(id),
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm: 0o777,
            nlink: 1,
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            rdev: 0,
            flags: 0,
            blksize: 4_096,
        })
    }

    fn remove(&mut self, parent: INodeNo, name: &OsStr) -> Result<(), Errno> {
        let id = self.find(parent, name).ok_or(Errno::ENOENT)?;
        if self.inodes.values().any(|inode| inode.parent == id) {
            return Err(Errno::ENOTEMPTY);
        }
        self.inodes.remove(&id);
        Ok(())
    }
}

fn answer(reply: ReplyEmpty, outcome: Result<(), Errno>) {
    match outcome {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Medium {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let state = self.state();
        match state.find(parent, name).and_then(|id| state.attributes(id)) {
            Some(attributes) => reply.entry(&BELIEVED, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.state().attributes(ino.0) {
            Some(attributes) => reply.attr(&BELIEVED, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut state = self.state();
        if let (Some(size), Some(Inode { content: Some(content), .. })) = (size, state.inodes.get_mut(&ino.0)) {
            content.resize(usize::try_from(size).unwrap(), 0);
        }
        match state.attributes(ino.0) {
            Some(attributes) => reply.attr(&BELIEVED, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        let attributes = self.state().add(parent, name, None);
        reply.entry(&BELIEVED, &attributes, Generation(0));
    }

    fn create(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, _: i32, reply: ReplyCreate) {
        let attributes = self.state().add(parent, name, Some(Vec::new()));
        reply.created(&BELIEVED, &attributes, Generation(0), FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(reply, self.state().remove(parent, name));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(reply, self.state().remove(parent, name));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let mut state = self.state();
        let _ = state.remove(new_parent, new_name);
        let renamed = state.find(parent, name).and_then(|id| state.inodes.get_mut(&id));
        let renamed = renamed.map(|inode| (inode.parent, inode.name) = (new_parent.0, new_name.to_owned()));
        answer(reply, renamed.ok_or(Errno::ENOENT));
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let range = offset..offset + u64::from(size);
        if matches!(self.fault, Fault::ReadingFailsAt(at) if range.contains(&at)) {
            return reply.error(Errno::EIO);
        }
        match self.state().inodes.get(&ino.0).and_then(|inode| inode.content.as_ref()) {
            Some(content) => {
                let place = |at: u64| usize::try_from(at).unwrap().min(content.len());
                reply.data(&content[place(range.start)..place(range.end)]);
            }
            None => reply.error(Errno::EISDIR),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut state = self.state();
        let before = state.written;
        state.written += data.len() as u64;
        if matches!(self.fault, Fault::WritingFailsAt(at) if state.written > at) {
            return reply.error(Errno::EIO);
        }
        let kept = match self.fault {
            Fault::KeepsOnly(most) => usize::try_from(most.saturating_sub(before)).unwrap().min(data.len()),
            _ => data.len(),
        };
        let Some(Inode { content: Some(content), .. }) = state.inodes.get_mut(&ino.0) else {
            return reply.error(Errno::EISDIR);
        };
        let start = usize::try_from(offset).unwrap();
        content.resize(content.len().max(start + data.len()), 0);
        content[start..start + kept].copy_from_slice(&data[..kept]);
        reply.written(u32::try_from(data.len()).unwrap());
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        if self.fault == Fault::TurnsABitOnFlush
            && let Some(Inode { content: Some(content), .. }) = self.state().inodes.get_mut(&ino.0)
        {
            let middle = content.len() / 2;
            if let Some(byte) = content.get_mut(middle) {
                *byte ^= 1;
            }
        }
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.ok();
    }

    fn readdir(&self, _: &Request, ino: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let state = self.state();
        let children = state.inodes.iter().filter(|(id, inode)| **id != ROOT && inode.parent == ino.0);
        for (place, (id, inode)) in (1..).zip(children).skip(usize::try_from(offset).unwrap()) {
            let kind = if inode.content.is_some() { FileType::RegularFile } else { FileType::Directory };
            if reply.add(INodeNo(*id), place, kind, &inode.name) {
                break;
            }
        }
        reply.ok();
    }
}

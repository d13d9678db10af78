//! Whatever the bytes, decoding a snapshot gives an error or a snapshot that encodes to the same bytes.
#![no_main]
use agent_engine::snapshot::Snapshot;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|stored: &[u8]| {
    if let Ok(snapshot) = Snapshot::decode(stored) {
        assert_eq!(snapshot.encode(), stored);
        assert!(snapshot.bytes() <= stored.len());
    }
});

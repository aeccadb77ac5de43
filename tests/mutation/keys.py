"""The lines that guard keys: slots, epochs, the destruction ledger, the recovery kit."""

from __future__ import annotations

from .mutant import Mutant

V, T = "pipeline/vault/", "tests/unit/vault/"
STORE, SLOTS, FOLDERS = V + "keys.py", V + "key_slots.py", V + "key_folders.py"
LEDGER, EPOCH, DISK, KIT = V + "ledger.py", V + "epoch.py", V + "disk.py", V + "kit.py"
CRASHES, CONTRACT = T + "test_key_crashes.py", "tests/contracts/test_key_store.py"
KEYS = (
    # The store
    Mutant("destroyed-for-ever", STORE, "if key_id in self._ledger:", "if False:", CONTRACT),
    Mutant(
        "unknown-destroys-none",
        STORE,
        "if missing := self._folders.slots.missing(alive):",
        "if missing := []:",
        CONTRACT,
    ),
    Mutant("wrapped-under-its-key", STORE, 'f"data key under {key_id}"', '"data key"', T + "test_documented.py"),
    Mutant(
        "ledger-before-key",
        STORE,
        "            self._ledger.append(key_ids)\n",
        "            self._folders.slots.erase(key_ids)\n            self._ledger.append(key_ids)\n",
        CRASHES,
    ),
    Mutant(
        "ledger-replayed",
        STORE,
        "            self._folders.settle(self._ledger)\n            self._replay()\n",
        "            self._folders.settle(self._ledger)\n",
        T + "test_epoch.py",
    ),
    Mutant(
        "slots-of-now",
        STORE,
        "                self._folders.settle(self._ledger)\n                self._folders.slots.add",
        "                self._folders.slots.add",
        T + "test_epoch.py",
    ),
    # Slots
    Mutant("key-in-its-place", SLOTS, 'f"key {key_id}", ', '"key", ', T + "test_keys.py"),
    Mutant(
        "master-proved",
        SLOTS,
        'self._lock.unlock("proof", (self._folder / "proof").read_bytes())',
        '(self._folder / "proof").read_bytes()',
        T + "test_keys.py",
    ),
    Mutant("whole-slots-only", SLOTS, "size - size % SLOT_BYTES", "size", T + "test_keys.py"),
    Mutant("whole-ids-only", SLOTS, "body[at : at + ID_BYTES] != padded", "False", T + "test_keys.py"),
    Mutant(
        "key-synced",
        SLOTS,
        "                write_at(handle, end, slot)\n                os.fsync(handle)\n",
        "                write_at(handle, end, slot)\n",
        CRASHES,
    ),
    Mutant("key-file-synced", SLOTS, "sync_folder(self._folder)  # its name", "pass  # its name", CRASHES),
    Mutant(
        "destruction-synced",
        SLOTS,
        "            if found:\n                os.fsync(handle)\n",
        "            if found:\n",
        CRASHES,
    ),
    Mutant(
        "destroyed-is-overwritten",
        SLOTS,
        "bytes(ID_BYTES) + secrets.token_bytes(LOCKED_BYTES)",
        "bytes(ID_BYTES)",
        T + "test_keys.py",
    ),
    # The ledger
    Mutant(
        "ledger-chain",
        LEDGER,
        "        if (\n            said is None\n",
        "        if said is None and (\n            said is None\n",
        T + "test_ledger.py",
    ),
    Mutant("ledger-synced", LEDGER, "            os.fsync(handle)\n", "", CRASHES),
    Mutant("ledger-head", LEDGER, "if len(self._destroyed) < self._least.number:", "if False:", T + "test_ledger.py"),
    Mutant(
        "ledger-head-digest",
        LEDGER,
        "            or (number == self._least.number and said[1].decode() != self._least.digest)\n",
        "",
        T + "test_ledger.py",
    ),
    Mutant(
        "ledger-head-mac",
        LEDGER,
        "if not hmac.compare_digest(body, self._body(head)):",
        "if False:",
        T + "test_ledger.py",
    ),
    Mutant("ledger-head-advances", LEDGER, "self._kept.advance(head)", "pass", T + "test_ledger.py"),
    # Epochs
    Mutant(
        "old-copy-refused", FOLDERS, "newest is None or newest < epoch.number", "newest is None", T + "test_epoch.py"
    ),
    Mutant("proved-before-the-epoch", FOLDERS, "self.slots.prove()  # an", "pass  # an", T + "test_epoch.py"),
    Mutant("epoch-not-made-anew", FOLDERS, "        if _numbers(root):\n", "        if False:\n", T + "test_epoch.py"),
    Mutant(
        "renewal-synced",
        DISK,
        "        write_at(handle, 0, body)\n        os.fsync(handle)\n",
        "        write_at(handle, 0, body)\n",
        CRASHES,
    ),
    Mutant(
        "renewal-named",
        FOLDERS,
        "        sync_folder(self._root)\n        self.moved()\n",
        "        self.moved()\n",
        CRASHES,
    ),
    Mutant("old-folder-goes", FOLDERS, "wipe(path) if path.is_dir() else shred(path)", "pass", T + "test_epoch.py"),
    Mutant(
        "kit-follows-the-epoch", FOLDERS, "renew_kit(self._epoch, ledger.head())", "pass", "tests/unit/app/test_kit.py"
    ),
    Mutant("chain-goes-one-way", EPOCH, 'chain = derive(chain, "watchkeep/epoch/1")', "pass", T + "test_epoch.py"),
    Mutant("lock-of-its-epoch", EPOCH, "salt=self.chain", "salt=None", T + "test_epoch.py"),
    Mutant(
        "old-bytes-overwritten",
        DISK,
        "write_at(handle, start, secrets.token_bytes(min(_STEP, size - start)))",
        "pass",
        T + "test_epoch.py",
    ),
    Mutant("two-names-one-file", DISK, "if path.exists() and leftover.samefile(path):", "if False:", CRASHES),
    # The kit
    Mutant("kit-check", KIT, "if said[3].lower() != _check(label, value):", "if False:", T + "test_kit.py"),
    Mutant(
        "kit-proved-before-use",
        "pipeline/app/kit.py",
        '    opens(store_of(found.keys / "vault"), kit.epoch, master)\n',
        "",
        "tests/unit/app/test_kit.py",
    ),
    Mutant(
        "kit-elsewhere",
        "pipeline/app/kit.py",
        "if file.resolve().is_relative_to(found.master.resolve()):",
        "if False:",
        "tests/unit/app/test_kit.py",
    ),
)

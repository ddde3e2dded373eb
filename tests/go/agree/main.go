// Checks a transparency log with Go's own packages golang.org/x/mod/sumdb/note and tlog, and makes one for others to check.
//
//	agree check DIR     a folder that the test others_agree.rs wrote: checkpoint, tiles, entries, receipts, proofs
//	agree make DIR N    writes a checkpoint of N entries, its key, and proofs made here
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// manifest is what the folder holds besides files of public forms.
type manifest struct {
	LogKey      string        `json:"log_key"`
	WitnessKey  string        `json:"witness_key"`
	Size        int64         `json:"size"`
	Receipts    []int64       `json:"receipts"`
	Consistency []consistency `json:"consistency"`
}

type consistency struct {
	From  int64       `json:"from"`
	To    int64       `json:"to"`
	Root  tlog.Hash   `json:"root"`
	Proof []tlog.Hash `json:"proof"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "agree:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "check":
		return check(args[1])
	case len(args) == 3 && args[0] == "make":
		size, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil {
			return err
		}
		return makeLog(args[1], size)
	}
	return errors.New("usage: agree check DIR | agree make DIR N")
}

func check(dir string) error {
	var m manifest
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	logKey, err := note.NewVerifier(m.LogKey)
	if err != nil {
		return err
	}
	witness, err := newCosigner(m.WitnessKey)
	if err != nil {
		return err
	}

	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := checkCheckpoint(msg, logKey, witness, m)
	if err != nil {
		return err
	}

	own, err := readEntries(dir, m.Size)
	if err != nil {
		return err
	}
	if m.Size > 0 {
		// Go's root of no entries is 32 zeros, RFC 6962's the digest of nothing
		root, err := tlog.TreeHash(m.Size, own)
		if err != nil {
			return err
		}
		if root != tree.Hash {
			return fmt.Errorf("the root of the entries is %v, of the checkpoint %v", root, tree.Hash)
		}
	} else if tree.Hash != sha256.Sum256(nil) {
		return errors.New("the root of no entries is not the digest of nothing")
	}
	tiles, err := checkTiles(dir, m.Size, own)
	if err != nil {
		return err
	}

	// Go reads its hashes from the tiles, verifying each against the root
	fromTiles := tlog.TileHashReader(tree, &files{dir})
	for _, index := range m.Receipts {
		if err := checkReceipt(dir, index, tree, own, fromTiles, logKey, witness); err != nil {
			return fmt.Errorf("receipt of %d: %v", index, err)
		}
	}
	for _, c := range m.Consistency {
		if err := checkConsistency(c, tree, own); err != nil {
			return fmt.Errorf("consistency of %d with %d: %v", c.From, c.To, err)
		}
	}
	fmt.Printf("agreed: %d entries, %d tiles, %d receipts, %d consistency proofs\n", m.Size, tiles, len(m.Receipts), len(m.Consistency))
	return nil
}

func checkCheckpoint(msg []byte, logKey, witness note.Verifier, m manifest) (tlog.Tree, error) {
	opened, err := note.Open(msg, note.VerifierList(logKey, witness))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(opened.Sigs) != 2 || len(opened.UnverifiedSigs) != 0 {
		return tlog.Tree{}, fmt.Errorf("%d signatures hold, %d are unknown", len(opened.Sigs), len(opened.UnverifiedSigs))
	}
	tree, err := tlog.ParseTree([]byte(opened.Text))
	if err != nil {
		return tlog.Tree{}, err
	}
	if tree.N != m.Size {
		return tlog.Tree{}, fmt.Errorf("the checkpoint has size %d, not %d", tree.N, m.Size)
	}
	// a check that cannot fail shows nothing
	for _, at := range []int{0, len(opened.Text) - 2} {
		changed := append([]byte(nil), msg...)
		changed[at] ^= 1
		if _, err := note.Open(changed, note.VerifierList(logKey, witness)); err == nil {
			return tlog.Tree{}, errors.New("a changed checkpoint was accepted")
		}
	}
	return tree, nil
}

// hashes holds a tree as tlog stores it.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(h)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		found[i] = h[index]
	}
	return found, nil
}

// readEntries builds Go's own tree from the bundles of entries.
func readEntries(dir string, size int64) (hashes, error) {
	var own hashes
	for first := int64(0); first < size; first += 256 {
		width := size - first
		if width > 256 {
			width = 256
		}
		// the paths of entries are those of level 0 under another name
		path := tilePath(tlog.Tile{H: 8, L: 0, N: first / 256, W: int(width)})
		bundle, err := os.ReadFile(filepath.Join(dir, strings.Replace(path, "tile/0/", "tile/entries/", 1)))
		if err != nil {
			return nil, err
		}
		for n := first; n < first+width; n++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("%s is cut short", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			more, err := tlog.StoredHashes(n, bundle[2:end], own)
			if err != nil {
				return nil, err
			}
			own = append(own, more...)
			bundle = bundle[end:]
		}
		if len(bundle) != 0 {
			return nil, fmt.Errorf("%s is too long", path)
		}
	}
	return own, nil
}

// tilePath leaves out the height, which is 8 always.
func tilePath(t tlog.Tile) string {
	return strings.Replace(t.Path(), "tile/8/", "tile/", 1)
}

// checkTiles compares every tile with Go's, and that there are no others.
func checkTiles(dir string, size int64, own hashes) (int, error) {
	expected := map[string]bool{}
	tiles := tlog.NewTiles(8, 0, size)
	for i, t := range tiles {
		// older versions list every width of a partial tile up to the last
		if i+1 < len(tiles) && tiles[i+1].L == t.L && tiles[i+1].N == t.N {
			continue
		}
		data, err := tlog.ReadTileData(t, own)
		if err != nil {
			return 0, err
		}
		path := tilePath(t)
		file, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(file, data) {
			return 0, fmt.Errorf("%s differs", path)
		}
		expected[path] = true
	}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if strings.HasPrefix(name, "tile/") && !strings.HasPrefix(name, "tile/entries/") && !expected[name] {
			return fmt.Errorf("%s is no tile of this tree", name)
		}
		return nil
	})
	return len(expected), err
}

// files reads tiles from a folder.
type files struct{ dir string }

func (f *files) Height() int { return 8 }

func (f *files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(f.dir, tilePath(t)))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f *files) SaveTiles([]tlog.Tile, [][]byte) {}

func checkReceipt(dir string, index int64, tree tlog.Tree, own hashes, fromTiles tlog.HashReader, keys ...note.Verifier) error {
	data, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.tlog-proof", index)))
	if err != nil {
		return err
	}
	split := bytes.Index(data, []byte("\n\n"))
	if split < 0 {
		return errors.New("no empty line")
	}
	lines := strings.Split(string(data[:split]), "\n")
	if len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", index) {
		return fmt.Errorf("begins with %q", lines)
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	opened, err := note.Open(data[split+2:], note.VerifierList(keys...))
	if err != nil {
		return err
	}
	if head, err := tlog.ParseTree([]byte(opened.Text)); err != nil || head != tree {
		return fmt.Errorf("has the checkpoint %v: %v", head, err)
	}
	leaf := own[tlog.StoredHashIndex(0, index)]
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf); err != nil {
		return err
	}
	made, err := tlog.ProveRecord(tree.N, index, fromTiles)
	if err != nil {
		return err
	}
	if fmt.Sprint(made) != fmt.Sprint(proof) {
		return errors.New("Go makes another proof from the tiles")
	}
	leaf[0] ^= 1
	if tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf) == nil {
		return errors.New("holds for another entry")
	}
	return nil
}

func checkConsistency(c consistency, tree tlog.Tree, own hashes) error {
	if c.To != tree.N {
		return errors.New("is of another tree")
	}
	old, err := tlog.TreeHash(c.From, own)
	if err != nil {
		return err
	}
	if old != c.Root {
		return fmt.Errorf("the older root is %v, not %v", old, c.Root)
	}
	if err := tlog.CheckTree(c.Proof, c.To, tree.Hash, c.From, c.Root); err != nil {
		return err
	}
	old[31] ^= 1
	if tlog.CheckTree(c.Proof, c.To, tree.Hash, c.From, old) == nil {
		return errors.New("holds for another older tree")
	}
	return nil
}

// cosigner verifies c2sp.org/tlog-cosignature, which Go's packages do not know.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("the witness's key has no three parts")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, errors.New("the witness's key is none")
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	hash := binary.BigEndian.Uint32(digest[:4])
	if fmt.Sprintf("%08x", hash) != parts[1] {
		return nil, errors.New("the id of the witness's key is wrong")
	}
	return &cosigner{parts[0], hash, key[1:]}, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), text)
	return ed25519.Verify(c.key, []byte(message), sig[8:])
}

func makeLog(dir string, size int64) error {
	skey, vkey, err := note.GenerateKey(rand.Reader, "go.example/log")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	var own hashes
	for n := int64(0); n < size; n++ {
		more, err := tlog.StoredHashes(n, []byte(fmt.Sprintf("entry %d", n)), own)
		if err != nil {
			return err
		}
		own = append(own, more...)
	}
	root, err := tlog.TreeHash(size, own)
	if err != nil {
		return err
	}
	text := tlog.FormatTree(tlog.Tree{N: size, Hash: root})
	checkpoint, err := note.Sign(&note.Note{Text: string(text)}, signer)
	if err != nil {
		return err
	}
	inclusion := map[string]tlog.RecordProof{}
	older := []consistency{}
	for _, n := range []int64{0, 1, size / 3, size / 2, size - 2, size - 1} {
		proof, err := tlog.ProveRecord(size, n, own)
		if err != nil {
			return err
		}
		inclusion[strconv.FormatInt(n, 10)] = proof
		oldRoot, err := tlog.TreeHash(n+1, own)
		if err != nil {
			return err
		}
		growth, err := tlog.ProveTree(size, n+1, own)
		if err != nil {
			return err
		}
		older = append(older, consistency{n + 1, size, oldRoot, growth})
	}
	made, err := json.Marshal(map[string]interface{}{
		"log_key": vkey, "checkpoint": string(checkpoint), "inclusion": inclusion, "consistency": older,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "made.json"), made, 0o600)
}

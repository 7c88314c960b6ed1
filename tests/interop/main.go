// Others' tools on what tallystick wrote: a tlog-proof file, its checkpoint and cosignatures, read and written again by
// torchwood and transparency-dev/formats, which know nothing of tallystick. What does not agree ends this with status 1.
//
//	interop ORIGIN QUORUM LEAF-HEX LEDGER-KEY WITNESS-KEY… < proof > cosigned note
package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	checkpoints "github.com/transparency-dev/formats/log"
	cosignatures "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func said(format string, values ...any) { fmt.Fprintf(os.Stderr, format+"\n", values...) }

func main() {
	log.SetFlags(0)
	if len(os.Args) < 6 {
		log.Fatal("usage: interop ORIGIN QUORUM LEAF-HEX LEDGER-KEY WITNESS-KEY… < proof > cosigned note")
	}
	origin, quorum := os.Args[1], must(strconv.Atoi(os.Args[2]))
	leaf := tlog.Hash(must(hex.DecodeString(os.Args[3])))
	ledger := must(note.NewVerifier(os.Args[4]))
	var each []torchwood.Policy
	var witnesses []note.Verifier
	for _, key := range os.Args[5:] {
		each = append(each, torchwood.SingleVerifierPolicy(must(torchwood.NewCosignatureVerifier(key))))
		witnesses = append(witnesses, must(cosignatures.NewVerifierForCosignatureV1(key)))
	}
	policy := torchwood.ThresholdPolicy(3,
		torchwood.OriginPolicy(origin), torchwood.SingleVerifierPolicy(ledger), torchwood.ThresholdPolicy(quorum, each...))
	proof := must(io.ReadAll(os.Stdin))

	if err := torchwood.VerifyProof(policy, leaf, proof); err != nil {
		log.Fatal(err)
	}
	other := leaf
	other[0] ^= 1
	if torchwood.VerifyProof(policy, other, proof) == nil {
		log.Fatal("the proof was taken for another entry too")
	}
	said("tlog-proof       verified by torchwood under the ledger's key and %d of %d witnesses", quorum, len(each))

	_, signed, _ := strings.Cut(string(proof), "\n\n")
	checkpoint := must(first(checkpoints.ParseCheckpoint([]byte(signed), origin, ledger, witnesses...)))
	said("cosignatures     %d of them verified by transparency-dev/formats at %d entries", checkpoint.cosigned, checkpoint.size)

	again, _, err := torchwood.VerifyCheckpoint([]byte(signed), policy)
	if must(again, err); !strings.HasPrefix(signed, again.String()+"\n") {
		log.Fatal("torchwood writes another checkpoint")
	}
	index, hashes := read(proof)
	extra := must(torchwood.ProofExtraData(proof))
	if !bytes.Equal(torchwood.FormatProofWithExtraData(index, extra, hashes, []byte(signed)), proof) {
		log.Fatal("torchwood writes another tlog-proof")
	}
	said("byte for byte    checkpoint and tlog-proof written again by torchwood")

	signer := must(torchwood.NewCosignatureSigner("interop.example/witness", ed25519.NewKeyFromSeed(make([]byte, 32))))
	os.Stdout.Write(must(note.Sign(&note.Note{Text: again.String()}, signer)))
}

type parsed struct {
	size     uint64
	cosigned int
}

func first(checkpoint *checkpoints.Checkpoint, _ []byte, opened *note.Note, err error) (parsed, error) {
	if err != nil {
		return parsed{}, err
	}
	return parsed{checkpoint.Size, len(opened.Sigs) - 1}, nil
}

func read(proof []byte) (index int64, hashes tlog.RecordProof) {
	index = -1
	for line := range strings.SplitSeq(string(proof), "\n") {
		switch {
		case line == "":
			return
		case index >= 0:
			hashes = append(hashes, must(tlog.ParseHash(line)))
		case strings.HasPrefix(line, "index "):
			index = must(strconv.ParseInt(line[len("index "):], 10, 64))
		}
	}
	return
}

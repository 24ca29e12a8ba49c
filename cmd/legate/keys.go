package main

import (
	"crypto/ecdsa"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/charmbracelet/x/term"
	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/fsfault"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies/strict"
)

// maxKeyFile bounds a keystore file, in bytes; real ones have 500.
const maxKeyFile = 64 << 10

// newKeys is about encrypted key files.
func newKeys() *cobra.Command {
	c := &cobra.Command{
		Use: "keys", Short: "Encrypted key files, in the format of go-ethereum's keystore", Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newKeysNew(), newKeysImport(), newKeysList())
	return c
}

// keyFlags say how a new key file is encrypted.
type keyFlags struct {
	passphrase string
	light      bool
	json       bool
}

func (f *keyFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.passphrase, "passphrase", "", "where the passphrase is: env:NAME, file:PATH or credential:NAME; else it is asked for on a terminal")
	c.Flags().BoolVar(&f.light, "light", false, "a passphrase that is guessed 30 times faster; for tests")
	jsonFlag(c, &f.json)
}

func newKeysNew() *cobra.Command {
	var f keyFlags
	c := &cobra.Command{
		Use: "new FILE", Short: "Make a key and write it to a new file, encrypted",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := crypto.GenerateKey()
			if err != nil {
				return fmt.Errorf("make a key: %w", err)
			}
			return f.store(cmd, args[0], key)
		},
	}
	f.add(c)
	return c
}

func newKeysImport() *cobra.Command {
	var f keyFlags
	var secret, from, old string
	c := &cobra.Command{
		Use: "import FILE (--secret REF | --from KEYSTORE)", Short: "Write a key that exists to a new file, encrypted",
		Long: "The key is 64 hex digits at --secret, or another keystore file at --from with the passphrase at\n" +
			"--from-passphrase. A key on a command line would stay in the shell's history, so it is not taken there.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (secret == "") == (from == "") {
				return usageError{errors.New("give either --secret REF or --from KEYSTORE")}
			}
			var key *ecdsa.PrivateKey
			var err error
			if secret != "" {
				key, err = secretKey(secret)
			} else {
				key, err = decryptFile(cmd, from, old)
			}
			if err != nil {
				return err
			}
			return f.store(cmd, args[0], key)
		},
	}
	c.Flags().StringVar(&secret, "secret", "", "where the key is: env:NAME, file:PATH or credential:NAME")
	c.Flags().StringVar(&from, "from", "", "keystore file that has the key")
	c.Flags().StringVar(&old, "from-passphrase", "", "where the passphrase of --from is; else it is asked for")
	f.add(c)
	return c
}

// keyDoc is one key file in JSON.
type keyDoc struct {
	Version int         `json:"version,omitempty"`
	Address gov.Address `json:"address"`
	File    string      `json:"file"`
}

// keysDocument is that of `keys list --json`.
type keysDocument struct {
	Version int      `json:"version"`
	Keys    []keyDoc `json:"keys"`
}

// store encrypts a key into a file that must not be there yet, and prints its address.
func (f keyFlags) store(cmd *cobra.Command, path string, key *ecdsa.PrivateKey) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already, and no key is overwritten", path)
	}
	passphrase, err := passphraseOf(cmd, f.passphrase, "New passphrase", true)
	if err != nil {
		return err
	}
	if err := writeKey(path, key, passphrase, f.light); err != nil {
		return err
	}
	doc := keyDoc{1, gov.Address(crypto.PubkeyToAddress(key.PublicKey)), path}
	if f.json {
		return printJSON(cmd.OutOrStdout(), doc)
	}
	return printText(cmd.OutOrStdout(), fmt.Sprintf("%s %s\n", doc.Address, doc.File))
}

// writeKey writes a key to a new encrypted file; light is quick to open, and to guess: for tests.
func writeKey(path string, key *ecdsa.PrivateKey, passphrase string, light bool) error {
	id, err := uuid.NewRandom()
	if err != nil {
		return err
	}
	n, p := keystore.StandardScryptN, keystore.StandardScryptP
	if light {
		n, p = keystore.LightScryptN, keystore.LightScryptP
	}
	k := &keystore.Key{Id: id, Address: crypto.PubkeyToAddress(key.PublicKey), PrivateKey: key}
	text, err := keystore.EncryptKey(k, passphrase, n, p)
	if err != nil {
		return fmt.Errorf("encrypt the key: %w", err)
	}
	return writeNew(path, text)
}

// writeNew writes a file that only its owner reads, durably, and never over another.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the key: %w", fsfault.Of(filepath.Dir(path), err))
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		// half a key is none, and stands in the way of the next try
		return fmt.Errorf("write the key: %w", errors.Join(fsfault.Of(filepath.Dir(path), err), os.Remove(path)))
	}
	return nil
}

// passphraseOf resolves a reference, or asks on a terminal without showing what is typed; twice for a new one.
func passphraseOf(cmd *cobra.Command, ref, prompt string, twice bool) (string, error) {
	if ref != "" {
		secret, err := strict.ParseSecret(ref)
		if err != nil {
			return "", usageError{fmt.Errorf("passphrase: %w", err)}
		}
		return secret.Resolve(".")
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(in.Fd()) {
		return "", usageError{errors.New("there is no terminal to ask for a passphrase: give --passphrase env:NAME, file:PATH or credential:NAME")}
	}
	first, err := ask(cmd.ErrOrStderr(), in, prompt)
	if err != nil {
		return "", err
	}
	if len(first) == 0 {
		return "", errors.New("the passphrase is empty")
	}
	if twice {
		again, err := ask(cmd.ErrOrStderr(), in, "The same again")
		if err != nil {
			return "", err
		}
		if subtle.ConstantTimeCompare(first, again) != 1 {
			return "", errors.New("the two passphrases differ")
		}
	}
	return string(first), nil
}

func ask(w io.Writer, in *os.File, prompt string) ([]byte, error) {
	fmt.Fprintf(w, "%s: ", prompt)
	defer fmt.Fprintln(w)
	b, err := term.ReadPassword(in.Fd())
	if err != nil {
		return nil, fmt.Errorf("read the passphrase: %w", err)
	}
	return b, nil
}

// secretKey reads a key in hex. Its errors tell nothing of what was read.
func secretKey(ref string) (*ecdsa.PrivateKey, error) {
	secret, err := strict.ParseSecret(ref)
	if err != nil {
		return nil, usageError{fmt.Errorf("--secret: %w", err)}
	}
	text, err := secret.Resolve(".")
	if err != nil {
		return nil, err
	}
	key, err := crypto.HexToECDSA(strings.TrimPrefix(strings.TrimSpace(text), "0x"))
	if err != nil {
		return nil, fmt.Errorf("%s is not a private key of 64 hex digits", secret)
	}
	return key, nil
}

// decryptFile opens another keystore file.
func decryptFile(cmd *cobra.Command, path, ref string) (*ecdsa.PrivateKey, error) {
	text, err := readBounded(path, maxKeyFile)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	if _, err := keyAddress(text); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	passphrase, err := passphraseOf(cmd, ref, "Passphrase of "+path, false)
	if err != nil {
		return nil, err
	}
	key, err := keystore.DecryptKey(text, passphrase)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return key.PrivateKey, nil
}

func newKeysList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list [FILE or FOLDER]…", Short: "The addresses of key files; nothing is decrypted",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			keys := []keyDoc{}
			for _, path := range args {
				found, err := keysAt(path)
				if err != nil {
					return err
				}
				keys = append(keys, found...)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), keysDocument{1, keys})
			}
			var r renderer
			for _, k := range keys {
				r.line("%s %s", k.Address, k.File)
			}
			if len(keys) == 0 {
				r.line("no key file")
			}
			return printText(cmd.OutOrStdout(), r.String())
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// keysAt is the key at a file, or every key file of a folder, by name; a folder's other files are passed over.
func keysAt(path string) ([]keyDoc, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		k, err := keyAt(path)
		return []keyDoc{k}, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	out := []keyDoc{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		k, err := keyAt(filepath.Join(path, e.Name()))
		switch {
		case err == nil:
			out = append(out, k)
		case errors.Is(err, fs.ErrPermission):
			return nil, err
		}
	}
	return out, nil
}

func keyAt(path string) (keyDoc, error) {
	text, err := readBounded(path, maxKeyFile)
	if err != nil {
		return keyDoc{}, err
	}
	address, err := keyAddress(text)
	if err != nil {
		return keyDoc{}, fmt.Errorf("%s: %w", path, err)
	}
	return keyDoc{Address: address, File: path}, nil
}

// keyAddress is the address that a keystore file says it holds.
func keyAddress(text []byte) (gov.Address, error) {
	var file struct {
		Address string          `json:"address"`
		Crypto  json.RawMessage `json:"crypto"`
	}
	if err := json.Unmarshal(text, &file); err != nil || len(file.Crypto) == 0 {
		return gov.Address{}, errors.New("this is not a keystore file (JSON with address and crypto)")
	}
	return gov.ParseAddress("0x" + strings.TrimPrefix(file.Address, "0x"))
}

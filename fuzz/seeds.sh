#!/bin/sh
# Copies the fixtures of OpenPGP into the corpus of a target: seeds.sh TARGET. What was found before stays.
set -eu
cd "$(dirname "$0")"
case $1 in
openpgp_armor) ends="asc" ;;
openpgp_packets) ends="sig" ;;
openpgp_keyring) ends="gpg asc" ;;
*) echo "expected openpgp_armor, openpgp_packets or openpgp_keyring, found '$1'" >&2; exit 1 ;;
esac
mkdir -p "corpus/$1"
for end in $ends; do
    for folder in openpgp simple-signing; do
        for file in ../fixtures/"$folder"/*."$end"; do
            [ ! -e "$file" ] || cp "$file" "corpus/$1/$folder-$(basename "$file")"
        done
    done
done

# The key that signs bundles. Sourced by build.sh. A test key is made where none is given: an authority of its own and one signer,
# RSA because its signature does not depend on chance (two builds are equal).

test_keys() {
  if [ -s "$KEYS/key.pem" ] && [ -s "$KEYS/cert.pem" ] && [ -s "$KEYS/ca.pem" ]; then return 0; fi
  [ "$KEYS" = "$ROOT/build/keys" ] || die "$KEYS must have cert.pem, key.pem and ca.pem"
  say "making a test key for bundles in build/keys"
  authority "$KEYS" "sipair test updates"
  # somebody else's, for the test that a box refuses it
  authority "$KEYS/stranger" "stranger"
}

# authority FOLDER NAME
authority() (
  umask 077
  mkdir -p "$1"
  cd "$1"
  openssl req -x509 -newkey rsa:3072 -nodes -days 9125 -subj "/CN=$2 authority" -keyout ca-key.pem -out ca.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
  openssl req -newkey rsa:3072 -nodes -subj "/CN=$2" -keyout key.pem -out request.pem 2>/dev/null
  printf 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning,emailProtection\n' >extensions
  openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 9125 -extfile extensions \
    -out cert.pem 2>/dev/null
  rm -f request.pem extensions ca.srl
)

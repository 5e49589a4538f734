# troupe doctor: says what is there, alone, under mpirun and in a step of srun that has no PMIx; its self-test passes here and fails where it must.
. "$TROUPE_SOURCE/tests/launch/tiny.sh"
unset "${!SLURM_@}" "${!PMIX_@}"
state() { sed -n "s/^\(ok\|absent\|warning\|broken\) *$1 .*/\1/p" "$dir/out" | sort -u | paste -sd ' '; }

"$troupe" doctor >"$dir/out"
same ok "$(state cores)" cores
same ok "$(state HDF5)" HDF5
same absent "$(state PMIx)" "PMIx of one process alone"
same absent "$(state CUDA)" CUDA
grep -q "^ok *MPI " "$dir/out"
same ok "$(state libcurl)" libcurl
grep -qE "^ok *libcurl +[1-9][0-9.]+, [A-Za-z]+" "$dir/out"
grep -qE "^ok *libseccomp +[1-9]+\.[0-9]+\.[0-9]+$" "$dir/out"
grep -qE "^ok *PCRE2 +10\.[0-9]+" "$dir/out"
grep -qE "^ok *FLINT +[0-9.]+, Arb [0-9.]+, GMP [0-9.]+$" "$dir/out"
same 1 "$(grep -cE "^(ok *sandbox .*namespaces of their own, [0-9.]+ ms each; .*[Pp]ython|absent *sandbox .*allow_unsandboxed: true)" "$dir/out")" "a sentence on the sandbox"
grep -qE "GFLOP/s: f32 [1-9][0-9]*, bf16 [1-9][0-9]*, bf16_as_f32 [1-9][0-9]*; a bf16 run begun now would take bf16" "$dir/out"
grep -q "^training works here" "$dir/out"
same "" "$(grep "^ok *products" "$dir/out" || true)" "self-test that nobody asked for"

"$troupe" doctor --self-test >"$dir/out"
same ok "$(state products)" "products of the self-test"
same 2 "$(grep -cE "^ok *decoder .* ([0-9a-f]{8}) with one thread, \1 with two" "$dir/out")" "decoders with the same gradient"
same ok "$(state 'HDF5 file')" "HDF5 file of the self-test"
TMPDIR=$dir "$troupe" doctor --self-test >/dev/null
same "" "$(ls -d "$dir"/troupe-doctor* 2>/dev/null || true)" "files left behind"

TMPDIR=$dir/nowhere "$troupe" doctor --self-test >"$dir/out" && { cat "$dir/out"; exit 1; }
same "warning broken" "$(state TMPDIR) $(state 'HDF5 file')" "a TMPDIR that is not there"
grep -q "^1 broken" "$dir/out"
SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_NTASKS=4 "$troupe" doctor >"$dir/out" && { cat "$dir/out"; exit 1; }
grep -qE "^broken *PMIx .*4 separate worlds; start them with srun --mpi=pmix" "$dir/out"
PATH=/nowhere "$troupe" doctor >"$dir/out"
same "warning absent" "$(state mpirun) $(state Slurm)" "an empty PATH"

mpirun -np 2 "$troupe" doctor >"$dir/out"
same 2 "$(grep -cE "^ok *PMIx *rank [01] of namespace" "$dir/out")" "ranks with PMIx"
same 2 "$(grep -cE "^ok *mpirun .*one of 2 ranks" "$dir/out")" "ranks of mpirun"

json=$("$troupe" doctor --json)
case $json in '{"version":"troupe '*'"ok":true,"findings":[{"name":"cores","state":"ok","text":'*']}') ;; *) echo "$json"; exit 1 ;; esac
same false "$( { SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_NTASKS=4 "$troupe" doctor --json || true; } | field ok)" "ok where something is broken"
expect 64 "no arguments are wanted" "$troupe" doctor here
"$troupe" doctor --help | grep -q Example

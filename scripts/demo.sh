#!/usr/bin/env bash
# The main job on sample products, as `make demo` runs it: jobs of a local service -> qgis_process ->
# stack files -> pictures. Everything stays below demo/, QGIS's profile included.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

QGIS_PYTHON=${QGIS_PYTHON:-/usr/bin/python3}
PRODUCTS=${PRODUCTS:-6}
DEMO=$PWD/demo
PROFILE=$DEMO/qgis/profiles/default

say() { printf '\n== %s\n' "$*"; }

export QGIS_CUSTOM_CONFIG_PATH=$DEMO/qgis
export QT_QPA_PLATFORM=offscreen
export HYP3_STACK_PYTHON=$PWD/.venv/bin/python
export XDG_RUNTIME_DIR=$DEMO/runtime
mkdir -p "$PROFILE/python/plugins" "$XDG_RUNTIME_DIR"
chmod 700 "$XDG_RUNTIME_DIR"

say "making $PRODUCTS sample products in two UTM zones (HyP3's InSAR GAMMA format, invented data)"
rm -rf "$DEMO"/{service,products,cache,stack.*,pictures,service.env}
.venv/bin/python -m tests.sample_products "$DEMO/service" --products "$PRODUCTS" --zip

say "starting a stand-in of the HyP3 service on 127.0.0.1 that offers them as jobs"
.venv/bin/python -m tests.hyp3_server --products "$DEMO/service" --project "demo stack" --port 0 \
    --environment "$DEMO/service.env" >"$DEMO/service.log" 2>&1 &
service=$!
trap 'kill "$service" 2>/dev/null || true' EXIT
for _ in {1..150}; do
    [[ -e $DEMO/service.env ]] && break
    kill -0 "$service" 2>/dev/null || { cat "$DEMO/service.log" >&2; exit 1; }
    sleep 0.2
done
set -a
# shellcheck source=/dev/null
source "$DEMO/service.env"
set +a
export HYP3_STACK_CACHE=$DEMO/cache

say "from the jobs to a stack with qgis_process: find, download, put on one grid, write"
ln -sfn "$PWD" "$PROFILE/python/plugins/hyp3_stack"
# An error if it is enabled already.
qgis_process plugins enable hyp3_stack >/dev/null 2>&1 || true
qgis_process run hyp3:preparestack -- \
    API_URL="$API_URL" PROJECT="demo stack" FOLDER="$DEMO/products" \
    NETCDF="$DEMO/stack.nc" ZARR="$DEMO/stack.zarr" CHUNKING=both

say "drawing each layer with QGIS"
# GDAL warns at each opening that it does not know a dimension of pairs.
CPL_LOG=$DEMO/quicklook.log "$QGIS_PYTHON" -m scripts.quicklook "$DEMO/stack.nc" "$DEMO/pictures"

cat <<END

== done
Products  demo/products
NetCDF    demo/stack.nc
Zarr      demo/stack.zarr   (groups spatially_optimized, temporally_optimized)
Pictures  demo/pictures/*.png

Open the stack in QGIS, with the plugin already enabled:
  qgis --profiles-path demo/qgis 'NETCDF:"$DEMO/stack.nc":unw_phase'

Open it in Python (.venv/bin/python):
  import xarray
  stack = xarray.open_dataset("demo/stack.nc", decode_coords="all")
  series = xarray.open_zarr("demo/stack.zarr", group="temporally_optimized")
END

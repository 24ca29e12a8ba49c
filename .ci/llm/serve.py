"""Serves one GGUF on a loopback port with llama.cpp's own HTTP server, until SIGTERM or the end of stdin.

usage: serve.py MODEL.gguf KEYFILE [CONTEXT]; prints the address on one line.
"""
import os
import signal
import sys
import threading

import xllamacpp as x

p = x.CommonParams()
p.model.path = sys.argv[1]
p.api_keys = [open(sys.argv[2], encoding="ascii").read().strip()]
p.n_ctx = int(sys.argv[3]) if len(sys.argv) > 3 else 4096
p.hostnames = ["127.0.0.1"]
p.port = 0
p.n_parallel = 1
p.cpuparams.n_threads = 1
p.cpuparams_batch.n_threads = 1
p.flash_attn_type = x.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
p.offline = True
p.ui = False
p.fit_params = False
p.warmup = False
p.endpoint_props = True
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
s = x.Server(p)
print(s.listening_address, flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
signal.pause()

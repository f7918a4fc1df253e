#!/bin/bash
# T25, T38: whoever holds the only path changes options of the handshake, so that
# less, or something else, is negotiated than both hosts have.
id=T25
. "$(dirname "$0")/downgrade.sh"
take nothing nothing sealed/smtcp sealed/smtcp
unsealed version0 "MPC version 0" tcp
take version0 "MPC version 0" sealed/tcpcrypt refused
unsealed hash "MPC other hash" tcp
take hash "MPC other hash" sealed/tcpcrypt refused
take tcpcrypt-syn "SM from SYN" abort abort
take tcpcrypt-synack "SM from SYN/ACK" abort abort
take aware-synack "a bit in SYN/ACK" abort abort
exit 0

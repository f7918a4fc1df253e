#!/bin/bash
# T24: whoever holds the only path takes options from what passes, so that less
# is negotiated than both hosts have.
id=T24
. "$(dirname "$0")/downgrade.sh"
take nothing nothing sealed/smtcp sealed/smtcp
take eno-syn "ENO from SYN" plain/mptcp refused
take eno-synack "ENO from SYN/ACK" plain/mptcp refused
take eno-ack "ENO from ACKs" abort abort
take capable-syn "MPC from SYN" sealed/tcpcrypt refused
take capable-synack "MPC from SYN/ACK" sealed/tcpcrypt refused
take both-syn "both from SYN" plain/tcp refused
take dss "DSS" sealed/tcpcrypt sealed/tcpcrypt
exit 0

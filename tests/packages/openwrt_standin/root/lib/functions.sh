#!/bin/sh
# Stand-in for OpenWrt's /lib/functions.sh: see README.md.
# shellcheck shell=dash
# shellcheck disable=SC2154

append() { # VARIABLE VALUE [SEPARATOR]
	eval "$1=\"\${$1:+\$$1\${3:- }}\$2\""
}

list_contains() { # VARIABLE WORD
	eval "case \" \$$1 \" in *\" \$2 \"*) return 0 ;; esac"
	return 1
}

# What uci export says is run as a script.
config_load() { # PACKAGE
	local said

	CONFIG_SECTIONS=
	CONFIG_SECTION=
	said=$(uci -n export "$1" 2>/dev/null) || return 1
	eval "$said"
}

package() {
	:
}

config() { # TYPE NAME
	append CONFIG_SECTIONS "$2"
	CONFIG_SECTION=$2
	config_set "$2" TYPE "$1"
}

option() { # NAME VALUE
	config_set "$CONFIG_SECTION" "$1" "$2"
}

# As an option, a list is its words in a row.
list() { # NAME VALUE
	local length

	config_get length "$CONFIG_SECTION" "$1_LENGTH" 0
	length=$((length + 1))
	config_set "$CONFIG_SECTION" "$1_ITEM$length" "$2"
	config_set "$CONFIG_SECTION" "$1_LENGTH" "$length"
	append "CONFIG_${CONFIG_SECTION}_$1" "$2"
}

config_set() { # SECTION OPTION VALUE
	eval "CONFIG_$1_$2=\$3"
}

config_get() { # VARIABLE SECTION OPTION [DEFAULT]
	case $2$3 in
	*[!A-Za-z0-9_]*) return ;;
	esac
	eval "$1=\"\${CONFIG_$2_$3:-\$4}\""
}

config_foreach() { # FUNCTION TYPE [ARGUMENT...]
	local function="$1" type="$2" section cfgtype

	shift 2
	for section in $CONFIG_SECTIONS; do
		config_get cfgtype "$section" TYPE
		[ "$cfgtype" != "$type" ] || "$function" "$section" "$@"
	done
}

config_list_foreach() { # SECTION OPTION FUNCTION [ARGUMENT...]
	local section="$1" option="$2" function="$3" length val i=1

	shift 3
	config_get length "$section" "${option}_LENGTH" 0
	while [ "$i" -le "$length" ]; do
		config_get val "$section" "${option}_ITEM$i"
		"$function" "$val" "$@"
		i=$((i + 1))
	done
}

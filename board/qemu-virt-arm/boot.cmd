# U-Boot finds this, as boot.scr, in the first partition of the disk.  Which slot is active
# is in the file slots there, of which the place is known (board/common/disk-image.sh).

setenv state 0x45000000
setenv image 0x46000000
virtio read ${state} 0x810 2
env import -t ${state} 0x400 active try
setenv slot ${active}
if test -n "${try}"; then
	# off trial before it starts: if it does not come up, the next boot is the old one's
	setenv slot ${try}
	env export -t -s 0x400 ${state} active
	virtio write ${state} 0x810 2
fi

if test "${slot}" = B; then setenv slots B A; else setenv slots A B; fi
for s in ${slots}; do
	if test ${s} = A; then setenv number 2; else setenv number 3; fi
	echo starting slot ${s}
	# the kernel is 16 MiB behind the slot's begin, and has as much room
	part start virtio 0 ${number} start
	setexpr start ${start} + 0x8000
	virtio read ${image} ${start} 0x8000
	setenv bootargs console=ttyAMA0 quiet panic=5 slot=${s}
	bootm ${image}#slot ${image}#slot ${fdtcontroladdr}
done
sleep 10
reset

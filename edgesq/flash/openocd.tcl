# Check which chip it is, write, compare, start. openocd.py has set edgesq_image and edgesq_id: a
# register's address, the bits that count, their value.
adapter speed 2000
init
reset init
lassign $edgesq_id address mask value
set found [expr {[lindex [read_memory $address 32 1] 0] & $mask}]
if {$found != $value} {
    error [format "edgesq: the chip says 0x%x" $found]
}
flash write_image erase $edgesq_image
verify_image $edgesq_image
echo "edgesq: compared"
reset run
shutdown

// Part of a sketch: the clock as QEMU's netduino2 runs its core, 120 MHz whatever RCC says. QEMU
// does not model the oscillators that the core's own function of this name waits for.
#include <Arduino.h>

extern "C" void SystemClock_Config(void) {
    SystemCoreClock = 120000000;
    HAL_InitTick(TICK_INT_PRIORITY);
}

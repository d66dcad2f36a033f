//! Page-fault exceptions as the hardware raises them, apart from the faults that the kernel books to tasks.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};

use crate::{attribution::current_slot, tally::Cpu};

/// An exception from user mode (arch/x86/mm/fault.c, `trace_page_fault_entries`).
#[btf_tracepoint(function = "page_fault_user")]
fn page_fault_user(_ctx: BtfTracePointContext) {
    let cpu = Cpu::current();
    if let Some(slot) = cpu.slot(current_slot(cpu)) {
        slot.tasks.user_fault_exceptions += 1;
    }
}

/// An exception from kernel mode.
#[btf_tracepoint(function = "page_fault_kernel")]
fn page_fault_kernel(_ctx: BtfTracePointContext) {
    let cpu = Cpu::current();
    if let Some(slot) = cpu.slot(current_slot(cpu)) {
        slot.tasks.kernel_fault_exceptions += 1;
    }
}

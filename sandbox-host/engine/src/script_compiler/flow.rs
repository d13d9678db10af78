//! The blocks of a function, what is known of each value where they begin, and the order in which structured code can hold them.
//! Exceptions are no edges: what catches them is the interpreter's.
use super::bytecode::{FunctionCode, Instruction};
use super::operation::Operation;
use super::types::Types;
use std::collections::{BTreeMap, BTreeSet};

/// What is known where an instruction begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub variables: Vec<Types>,
    pub arguments: Vec<Types>,
    pub stack: Vec<Types>,
}

#[derive(Debug)]
pub struct Block {
    pub instructions: Vec<Instruction>,
    /// Of a branch: where it goes when the condition holds, and when not.
    pub successors: Vec<u32>,
    pub state: State,
    /// In reverse postorder.
    pub rank: usize,
    pub is_loop: bool,
    /// How many loops it is in.
    pub depth: usize,
    pub forward_edges: usize,
    /// Blocks that only this one leads to, directly.
    pub dominated: Vec<u32>,
}

pub type Blocks = BTreeMap<u32, Block>;

/// Why a function stays interpreted, in words for its author.
pub type Unfit = String;

/// Steps of the fixed point; each join only adds types, so that real functions need a few per block.
const STEPS_MAX: usize = 200_000;

pub fn blocks(function: &FunctionCode) -> Result<Blocks, Unfit> {
    let mut blocks = analyse(function)?;
    order(&mut blocks)?;
    mark_loops(&mut blocks);
    Ok(blocks)
}

fn analyse(function: &FunctionCode) -> Result<Blocks, Unfit> {
    let mut leaders = BTreeSet::from([0]);
    for instruction in function.instructions.values() {
        if let (Some(target), Operation::Goto | Operation::IfFalse | Operation::IfTrue) =
            (instruction.target, instruction.operation)
        {
            leaders.extend([target, instruction.next]);
        }
    }
    let entry = State {
        variables: vec![Types::SIMPLE; function.variables],
        arguments: vec![Types::ANY; function.arguments],
        stack: Vec::new(),
    };
    let mut states = BTreeMap::from([(0, entry)]);
    let mut work = vec![0];
    let mut blocks = Blocks::new();
    let mut steps = 0;
    while let Some(start) = work.pop() {
        steps += 1;
        if steps > STEPS_MAX {
            return Err("it has too many branches".into());
        }
        let entry = states[&start].clone();
        let (instructions, successors, end) = walk(function, &leaders, start, entry.clone())?;
        for successor in &successors {
            if join(&mut states, *successor, &end)? {
                work.push(*successor);
            }
        }
        let block = Block {
            instructions,
            successors,
            state: entry,
            rank: 0,
            is_loop: false,
            depth: 0,
            forward_edges: 0,
            dominated: Vec::new(),
        };
        blocks.insert(start, block);
    }
    for (start, block) in &mut blocks {
        block.state = states[start].clone();
    }
    Ok(blocks)
}

type Walk = (Vec<Instruction>, Vec<u32>, State);

/// From `start` to the end of its block.
fn walk(function: &FunctionCode, leaders: &BTreeSet<u32>, start: u32, mut state: State) -> Result<Walk, Unfit> {
    let mut instructions = Vec::new();
    let mut at = start;
    loop {
        let instruction = *function.instructions.get(&at).ok_or("a jump leads into an instruction")?;
        instructions.push(instruction);
        let target = instruction.target.unwrap_or(instruction.next);
        match instruction.operation {
            Operation::Suspend => return Err("it is a generator or asynchronous".into()),
            Operation::Leave
            | Operation::Return
            | Operation::ReturnUndefined
            | Operation::TailCall
            | Operation::TailCallMethod => return Ok((instructions, Vec::new(), state)),
            Operation::Goto => return Ok((instructions, vec![target], state)),
            Operation::IfTrue | Operation::IfFalse => {
                state.stack.pop().ok_or("its stack is empty")?;
                let (holds, fails) = if instruction.operation == Operation::IfTrue {
                    (target, instruction.next)
                } else {
                    (instruction.next, target)
                };
                return Ok((instructions, vec![holds, fails], state));
            }
            _ => transfer(function, &instruction, &mut state).ok_or("its stack does not hold together")?,
        }
        at = instruction.next;
        if leaders.contains(&at) {
            return Ok((instructions, vec![at], state));
        }
    }
}

/// Whether it told anything new.
fn join(states: &mut BTreeMap<u32, State>, at: u32, state: &State) -> Result<bool, Unfit> {
    let Some(known) = states.get_mut(&at) else {
        states.insert(at, state.clone());
        return Ok(true);
    };
    if known.stack.len() != state.stack.len() {
        return Err("its stack differs by the way to an instruction".into());
    }
    let mut changed = false;
    let all =
        [(&mut known.variables, &state.variables), (&mut known.arguments, &state.arguments), (&mut known.stack, &state.stack)];
    for (known, new) in all {
        for (known, new) in known.iter_mut().zip(new) {
            let joined = *known | *new;
            changed |= joined != *known;
            *known = joined;
        }
    }
    Ok(changed)
}

/// What an instruction makes of what is known; nothing when its operands are not there.
pub fn transfer(function: &FunctionCode, instruction: &Instruction, state: &mut State) -> Option<()> {
    let index = instruction.operand as usize;
    let stack = &mut state.stack;
    if let Some((taken, left)) = instruction.operation.permutation() {
        let values = stack.split_off(stack.len().checked_sub(taken)?);
        stack.extend(left.iter().map(|place| values[*place]));
        return Some(());
    }
    let variable = |state: &State| {
        if function.is_variable_captured(index) { Types::ANY } else { state.variables.get(index).copied().unwrap_or(Types::ANY) }
    };
    match instruction.operation {
        Operation::PushInteger => stack.push(Types::INTEGER),
        Operation::PushConstant | Operation::PushAtom => stack.push(function.pushed(instruction)),
        Operation::Undefined | Operation::Null | Operation::True | Operation::False => stack.push(Types::SIMPLE),
        Operation::Catch => stack.push(Types::MARK),
        Operation::GetVariable | Operation::GetChecked => {
            let types = variable(state).without_mark();
            state.stack.push(types);
            // It is initialised from here on.
            if instruction.operation == Operation::GetChecked {
                *state.variables.get_mut(index)? = types;
            }
        }
        Operation::PutVariable | Operation::PutChecked | Operation::PutInitial => {
            *state.variables.get_mut(index)? = stack.pop()?
        }
        Operation::SetVariable | Operation::SetChecked => *state.variables.get_mut(index)? = *stack.last()?,
        Operation::SetUninitialized => *state.variables.get_mut(index)? = Types::MARK,
        Operation::ForOfNext => {
            stack.len().checked_sub(instruction.pops as usize)?;
            stack.extend([Types::ANY, Types::ANY]);
        }
        Operation::GetArgument => {
            let is_captured = function.is_argument_captured(index);
            stack.push(if is_captured { Types::ANY } else { *state.arguments.get(index)? });
        }
        Operation::PutArgument => *state.arguments.get_mut(index)? = stack.pop()?,
        Operation::SetArgument => *state.arguments.get_mut(index)? = *stack.last()?,
        Operation::IncrementVariable | Operation::DecrementVariable => {
            let types = variable(state).of_step();
            *state.variables.get_mut(index)? = types;
        }
        Operation::AddToVariable => {
            let added = stack.pop()?;
            let types = Types::of_arithmetic(Operation::Add, variable(state), added);
            *state.variables.get_mut(index)? = types;
        }
        Operation::Increment | Operation::Decrement | Operation::Negate => {
            let types = stack.pop()?.of_step();
            stack.push(types);
        }
        Operation::Plus => {
            let types = stack.pop()?;
            stack.push(if types.is_number() { types } else { Types::NUMBER });
        }
        Operation::Invert => {
            let types = stack.pop()?;
            stack.push(if types.is_number() { Types::INTEGER } else { Types::ANY });
        }
        // Of anything but a number, compiled code leaves it to the interpreter.
        Operation::PostIncrement | Operation::PostDecrement => {
            let types = stack.pop()?;
            let number = if types.is_number() { types } else { Types::NUMBER };
            stack.extend([number, number.of_step()]);
        }
        Operation::Not
        | Operation::IsUndefinedOrNull
        | Operation::IsUndefined
        | Operation::IsNull
        | Operation::TypeOfIsUndefined
        | Operation::TypeOfIsFunction => {
            stack.pop()?;
            stack.push(Types::SIMPLE);
        }
        Operation::In | Operation::InstanceOf => {
            stack.truncate(stack.len().checked_sub(2)?);
            stack.push(Types::SIMPLE);
        }
        operation if operation.is_arithmetic() => {
            let (right, left) = (stack.pop()?, stack.pop()?);
            stack.push(Types::of_arithmetic(operation, left, right));
        }
        operation if operation.is_bitwise() => {
            let (right, left) = (stack.pop()?, stack.pop()?);
            stack.push(Types::of_bitwise(operation, left, right));
        }
        operation if operation.is_comparison() => {
            stack.truncate(stack.len().checked_sub(2)?);
            stack.push(Types::SIMPLE);
        }
        _ => {
            let popped = stack.split_off(stack.len().checked_sub(instruction.pops as usize)?);
            stack.extend(types_after_step(instruction, popped.into_iter()));
        }
    }
    (state.stack.len() <= function.stack).then_some(())
}

/// Of what an opcode leaves that the compiler knows nothing more of.
pub fn types_after_step(instruction: &Instruction, mut popped: impl Iterator<Item = Types>) -> Vec<Types> {
    if instruction.operation == Operation::ForOfStart {
        return vec![Types::ANY, Types::ANY, Types::MARK];
    }
    // Where things are caught may be among what it moves.
    let has_mark = popped.any(|types| types.may_be(Types::MARK));
    let types = if has_mark { Types::ANY | Types::MARK } else { Types::ANY };
    vec![types; instruction.pushes as usize]
}

/// Ranks, loops and dominators. Code that structured control flow cannot hold (none is known that QuickJS makes) is refused.
fn order(blocks: &mut Blocks) -> Result<(), Unfit> {
    let ranked = reverse_postorder(blocks);
    let rank: BTreeMap<u32, usize> = ranked.iter().enumerate().map(|(rank, at)| (*at, rank)).collect();
    let mut predecessors = vec![BTreeSet::new(); ranked.len()];
    for (from, at) in ranked.iter().enumerate() {
        for successor in &blocks[at].successors {
            predecessors[rank[successor]].insert(from);
        }
    }
    let dominators = dominators(&predecessors);
    let dominates = |above: usize, mut below: usize| {
        while below > above {
            below = dominators[below];
        }
        below == above
    };
    for (from, at) in ranked.iter().enumerate() {
        for successor in blocks[at].successors.clone() {
            let to = rank[&successor];
            let block = blocks.get_mut(&successor).ok_or("a jump leads nowhere")?;
            if to > from {
                block.forward_edges += 1;
            } else if dominates(to, from) {
                block.is_loop = true;
            } else {
                return Err("its loops have several entries".into());
            }
        }
    }
    for (number, at) in ranked.iter().enumerate() {
        let block = blocks.get_mut(at).ok_or("a jump leads nowhere")?;
        block.rank = number;
        if number > 0 {
            let above = ranked[dominators[number]];
            blocks.get_mut(&above).ok_or("a jump leads nowhere")?.dominated.push(*at);
        }
    }
    Ok(())
}

fn reverse_postorder(blocks: &Blocks) -> Vec<u32> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::from([0]);
    let mut stack = vec![(0, 0)];
    while let Some((at, next)) = stack.last_mut() {
        match blocks[at].successors.get(*next) {
            Some(successor) => {
                *next += 1;
                if seen.insert(*successor) {
                    stack.push((*successor, 0));
                }
            }
            None => {
                order.push(*at);
                stack.pop();
            }
        }
    }
    order.reverse();
    order
}

/// The immediate dominator of each block, by ranks ("A Simple, Fast Dominance Algorithm", Cooper, Harvey, Kennedy).
fn dominators(predecessors: &[BTreeSet<usize>]) -> Vec<usize> {
    const UNKNOWN: usize = usize::MAX;
    let mut dominators = vec![UNKNOWN; predecessors.len()];
    dominators[0] = 0;
    let mut changed = true;
    while changed {
        changed = false;
        for block in 1..predecessors.len() {
            let mut nearest = UNKNOWN;
            for &predecessor in predecessors[block].iter().filter(|predecessor| dominators[**predecessor] != UNKNOWN) {
                let (mut left, mut right) = (predecessor, nearest);
                if nearest == UNKNOWN {
                    nearest = predecessor;
                    continue;
                }
                while left != right {
                    if left > right { left = dominators[left] } else { right = dominators[right] }
                }
                nearest = left;
            }
            if dominators[block] != nearest {
                dominators[block] = nearest;
                changed = true;
            }
        }
    }
    dominators
}

/// Loops are what lies between a block and the last that leads back to it.
fn mark_loops(blocks: &mut Blocks) {
    let loops: Vec<(usize, usize)> = blocks
        .values()
        .flat_map(|block| block.successors.iter().map(|to| (blocks[to].rank, block.rank)))
        .filter(|(to, from)| to <= from)
        .collect();
    for block in blocks.values_mut() {
        block.depth = loops.iter().filter(|(from, to)| (*from..=*to).contains(&block.rank)).count();
    }
}

/// Variables that are numbers, or nothing yet, and change in loops: it costs less to tell the frame of them on the few ways out than at each
/// change. None where the ways out are many.
pub fn lazy_variables(function: &FunctionCode, blocks: &Blocks) -> Vec<bool> {
    const STORES_MAX: usize = 256;
    let mut held = vec![Types::SIMPLE; function.variables];
    let mut is_lazy = vec![false; function.variables];
    let mut exits = 0;
    for block in blocks.values() {
        let mut state = block.state.clone();
        for instruction in &block.instructions {
            exits += usize::from(instruction.operation.may_leave());
            let before = state.variables.clone();
            if transfer(function, instruction, &mut state).is_none() {
                break;
            }
            let changed = before.iter().zip(&state.variables).map(|(before, after)| before != after);
            let is_put = |index: usize| instruction.operation.changes_variable() && instruction.operand as usize == index;
            for (index, is_other) in changed.enumerate() {
                held[index] = held[index] | state.variables[index];
                is_lazy[index] |= block.depth > 0 && (is_other || is_put(index));
            }
        }
    }
    for (index, held) in held.iter().enumerate() {
        is_lazy[index] &= !held.is_counted() && !function.is_variable_captured(index);
    }
    let count = is_lazy.iter().filter(|is_lazy| **is_lazy).count();
    if count * exits > STORES_MAX {
        is_lazy.fill(false);
    }
    is_lazy
}

// The bytes of a variable, without the code generator.
#include "worker.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/Operator.h"

using namespace llvm;

namespace {

// A number, or an address plus a number, or the difference of two addresses plus a number.
struct Sum {
  const GlobalValue *plus = nullptr;
  const GlobalValue *minus = nullptr;
  APInt number{64, 0};
};

class Lowering {
public:
  Lowering(const GlobalVariable &variable, Needed &needed, SmallVectorImpl<char> &out,
           std::vector<vk_pointer> &pointers)
      : variable(variable), layout(variable.getDataLayout()), needed(needed), out(out),
        pointers(pointers) {}

  void run() {
    const Constant *value = variable.getInitializer();
    if (isa<ConstantAggregateZero>(value) || isa<UndefValue>(value)) return;
    out.resize(layout.getTypeAllocSize(variable.getValueType()));
    lower(value, 0);
  }

private:
  void lower(const Constant *value, uint64_t at) {
    if (isa<ConstantAggregateZero>(value) || isa<UndefValue>(value) || isa<ConstantPointerNull>(value) ||
        isa<ConstantTargetNone>(value))
      return;
    Type *type = value->getType();
    if (auto *sequence = dyn_cast<ConstantDataSequential>(value)) return lower_sequence(*sequence, at);
    if (auto *number = dyn_cast<ConstantInt>(value)) {
      if (!type->isVectorTy()) return put(number->getValue(), at, layout.getTypeStoreSize(type));
    }
    if (auto *number = dyn_cast<ConstantFP>(value)) {
      if (!type->isVectorTy())
        return put(number->getValueAPF().bitcastToAPInt(), at, layout.getTypeStoreSize(type));
    }
    if (auto *vector = dyn_cast<FixedVectorType>(type)) return lower_vector(value, vector, at);
    if (auto *array = dyn_cast<ConstantArray>(value)) {
      uint64_t step = layout.getTypeAllocSize(cast<ArrayType>(type)->getElementType());
      for (const Use &element : array->operands()) {
        lower(cast<Constant>(element), at);
        at += step;
      }
      return;
    }
    if (auto *record = dyn_cast<ConstantStruct>(value)) {
      const StructLayout *fields = layout.getStructLayout(record->getType());
      for (unsigned i = 0; i < record->getNumOperands(); ++i)
        lower(record->getOperand(i), at + fields->getElementOffset(i));
      return;
    }
    put(sum(value), at, layout.getTypeStoreSize(type));
  }

  void lower_sequence(const ConstantDataSequential &sequence, uint64_t at) {
    uint64_t size = sequence.getElementByteSize();
    uint64_t step = isa<ArrayType>(sequence.getType()) ? layout.getTypeAllocSize(sequence.getElementType()).getFixedValue() : size;
    StringRef raw = sequence.getRawDataValues();
    if (size == step) {
      std::copy(raw.begin(), raw.end(), out.begin() + at);
      return;
    }
    for (unsigned i = 0; i < sequence.getNumElements(); ++i)
      lower(sequence.getElementAsConstant(i), at + i * step);
  }

  // Elements of a vector lie side by side, to the bit.
  void lower_vector(const Constant *value, FixedVectorType *type, uint64_t at) {
    uint64_t bits = layout.getTypeSizeInBits(type->getElementType());
    if (bits % 8 == 0) {
      for (unsigned i = 0; i < type->getNumElements(); ++i)
        lower(element(value, i), at + i * bits / 8);
      return;
    }
    APInt packed(bits * type->getNumElements(), 0);
    for (unsigned i = 0; i < type->getNumElements(); ++i)
      if (auto *number = dyn_cast<ConstantInt>(element(value, i)))
        packed.insertBits(number->getValue(), i * bits);
    put(packed, at, layout.getTypeStoreSize(type));
  }

  const Constant *element(const Constant *vector, unsigned index) {
    const Constant *found = vector->getAggregateElement(index);
    if (!found) fail("initializer of " + variable.getName() + ": unknown vector element");
    return found;
  }

  void put(const APInt &number, uint64_t at, uint64_t size) {
    APInt wide = number.zextOrTrunc(size * 8);
    for (uint64_t i = 0; i < size; ++i) out[at + i] = static_cast<char>(wide.extractBitsAsZExtValue(8, i * 8));
  }

  void put(const Sum &sum, uint64_t at, uint64_t size) {
    int64_t number = sum.number.getSExtValue();
    if (!sum.plus && !sum.minus) return put(sum.number, at, size);
    if (!sum.plus || (sum.minus && sum.minus != &variable))
      fail("initializer of " + variable.getName() + " subtracts the address of another object");
    // From the start of this variable to the place.
    if (sum.minus) number += static_cast<int64_t>(at);
    pointers.push_back({at, number, needed.add(*sum.plus), static_cast<uint8_t>(size), sum.minus != nullptr});
  }

  Sum sum(const Constant *value) {
    if (auto *global = dyn_cast<GlobalValue>(value)) return {global, nullptr, APInt(64, 0)};
    if (auto *number = dyn_cast<ConstantInt>(value)) return {nullptr, nullptr, number->getValue().sextOrTrunc(64)};
    if (isa<ConstantPointerNull>(value) || isa<UndefValue>(value)) return {};
    if (auto *local = dyn_cast<DSOLocalEquivalent>(value)) return sum(local->getGlobalValue());
    if (auto *plain = dyn_cast<NoCFIValue>(value)) return sum(plain->getGlobalValue());
    auto *expression = dyn_cast<ConstantExpr>(value);
    if (!expression) refuse(*value);
    switch (expression->getOpcode()) {
    case Instruction::GetElementPtr: {
      APInt offset(layout.getIndexTypeSizeInBits(expression->getType()), 0);
      if (!cast<GEPOperator>(expression)->accumulateConstantOffset(layout, offset)) refuse(*value);
      Sum base = sum(expression->getOperand(0));
      base.number += offset.sextOrTrunc(64);
      return base;
    }
    case Instruction::PtrToInt:
    case Instruction::PtrToAddr:
    case Instruction::IntToPtr:
    case Instruction::BitCast:
    case Instruction::AddrSpaceCast:
    case Instruction::Trunc: return sum(expression->getOperand(0));
    case Instruction::Add: return add(sum(expression->getOperand(0)), sum(expression->getOperand(1)));
    case Instruction::Sub: {
      Sum right = sum(expression->getOperand(1));
      return add(sum(expression->getOperand(0)), {right.minus, right.plus, -right.number});
    }
    default: refuse(*value);
    }
  }

  Sum add(Sum left, Sum right) {
    // An address less itself is nothing.
    if (left.plus && left.plus == right.minus) left.plus = right.minus = nullptr;
    if (left.minus && left.minus == right.plus) left.minus = right.plus = nullptr;
    if ((left.plus && right.plus) || (left.minus && right.minus))
      fail("initializer of " + variable.getName() + " adds addresses");
    return {left.plus ? left.plus : right.plus, left.minus ? left.minus : right.minus,
            left.number + right.number};
  }

  [[noreturn]] void refuse(const Constant &value) {
    std::string text;
    raw_string_ostream stream(text);
    value.print(stream);
    fail("initializer of " + variable.getName() + " is not an address and a number: " + text);
  }

  const GlobalVariable &variable;
  const DataLayout &layout;
  Needed &needed;
  SmallVectorImpl<char> &out;
  std::vector<vk_pointer> &pointers;
};

} // namespace

extern "C" int vk_lower_data(vk_worker *worker, vk_module *module, uint32_t key, vk_data *data) {
  *data = {};
  return guarded(worker, [&] {
    auto *variable = dyn_cast<GlobalVariable>(module->values.at(key));
    if (!variable || !variable->hasInitializer()) fail("not a variable with an initializer");
    const DataLayout &layout = module->module->getDataLayout();
    Needed needed(*module);
    needed.add(*variable); // number 0
    SmallVector<char, 0> out;
    worker->pointers.clear();
    Lowering(*variable, needed, out, worker->pointers).run();
    worker->buffer.assign(out.begin(), out.end());
    worker->needed = std::move(needed.list);
    data->bytes = bytes(worker->buffer);
    data->size = layout.getTypeAllocSize(variable->getValueType());
    data->align = layout.getPreferredAlign(variable).value();
    data->is_constant = variable->isConstant();
    data->pointers = worker->pointers.data();
    data->pointer_count = worker->pointers.size();
    data->needed = worker->needed.data();
    data->needed_count = worker->needed.size();
  });
}

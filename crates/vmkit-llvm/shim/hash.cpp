// A hash of a function's body.
//
// Values are told apart by their numbers in the function, types by their structure, and globals by
// name, as far as every module means the same by it. What only one module can name is hashed by its
// contents if it is a constant whose address does not matter, and by its module and key otherwise:
// two modules' variables of one name are two variables.
#include "extract.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Metadata.h"
#include "llvm/IR/Operator.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;

namespace {

class Hasher {
public:
  Hasher(const vk_module &module, const Function &function) : module(module), function(function) {}

  uint64_t run() {
    number(function.getCallingConv());
    type(function.getFunctionType());
    attributes(function.getAttributes());
    text(function.hasGC() ? StringRef(function.getGC()) : "");
    if (function.hasPersonalityFn()) constant(*function.getPersonalityFn());
    for (const Argument &argument : function.args()) local(&argument);
    for (const BasicBlock &block : function) local(&block);
    for (const BasicBlock &block : function) {
      number(block.size());
      for (const Instruction &i : block) local(&i);
    }
    for (const Instruction &i : instructions(function)) instruction(i);
    return xxh3_64bits(ArrayRef(bytes.data(), bytes.size()));
  }

private:
  void number(uint64_t number) {
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<uint8_t>(number >> (8 * i)));
  }

  void text(StringRef text) {
    number(text.size());
    bytes.append(text.bytes_begin(), text.bytes_end());
  }

  void wide(const APInt &wide) {
    number(wide.getBitWidth());
    for (unsigned i = 0; i < wide.getNumWords(); ++i) number(wide.getRawData()[i]);
  }

  void local(const Value *value) { locals.try_emplace(value, locals.size()); }

  void type(const Type *type) {
    auto [place, is_new] = types.try_emplace(type, types.size());
    number(place->second);
    if (!is_new) return;
    number(type->getTypeID());
    if (auto *integer = dyn_cast<IntegerType>(type)) number(integer->getBitWidth());
    if (auto *pointer = dyn_cast<PointerType>(type)) number(pointer->getAddressSpace());
    if (auto *array = dyn_cast<ArrayType>(type)) number(array->getNumElements());
    if (auto *vector = dyn_cast<VectorType>(type)) number(vector->getElementCount().getKnownMinValue());
    if (auto *function = dyn_cast<FunctionType>(type)) number(function->isVarArg());
    if (auto *record = dyn_cast<StructType>(type)) {
      number(record->isOpaque() ? 2 : record->isPacked());
      if (record->isOpaque()) text(record->getName());
    }
    if (auto *target = dyn_cast<TargetExtType>(type)) {
      text(target->getName());
      for (unsigned parameter : target->int_params()) number(parameter);
    }
    number(type->getNumContainedTypes());
    for (const Type *part : type->subtypes()) this->type(part);
  }

  void attributes(const AttributeList &list) {
    number(list.getNumAttrSets());
    for (unsigned index : list.indexes()) {
      AttributeSet set = list.getAttributes(index);
      number(set.getNumAttributes());
      for (const Attribute &attribute : set) this->attribute(attribute);
    }
  }

  void attribute(const Attribute &attribute) {
    if (attribute.isStringAttribute()) {
      text(attribute.getKindAsString());
      text(attribute.getValueAsString());
      return;
    }
    number(attribute.getKindAsEnum());
    if (attribute.isIntAttribute()) number(attribute.getValueAsInt());
    if (attribute.isTypeAttribute() && attribute.getValueAsType()) type(attribute.getValueAsType());
    if (attribute.isConstantRangeAttribute() || attribute.isConstantRangeListAttribute()) text(attribute.getAsString());
  }

  void instruction(const Instruction &i) {
    number(i.getOpcode());
    number(i.getRawSubclassOptionalData());
    type(i.getType());
    special(i);
    number(i.getNumOperands());
    for (const Use &operand : i.operands()) value(*operand);
    SmallVector<std::pair<unsigned, MDNode *>> nodes;
    i.getAllMetadataOtherThanDebugLoc(nodes);
    number(nodes.size());
    for (auto [kind, node] : nodes) {
      text(kind_name(kind, i.getContext()));
      metadata(node);
    }
  }

  // What instructions of one opcode differ in, beside operands.
  void special(const Instruction &i) {
    if (auto *alloca = dyn_cast<AllocaInst>(&i)) {
      type(alloca->getAllocatedType());
      number(alloca->getAlign().value());
    } else if (auto *load = dyn_cast<LoadInst>(&i)) {
      memory(load->isVolatile(), load->getAlign(), load->getOrdering(), load->getSyncScopeID());
    } else if (auto *store = dyn_cast<StoreInst>(&i)) {
      memory(store->isVolatile(), store->getAlign(), store->getOrdering(), store->getSyncScopeID());
    } else if (auto *fence = dyn_cast<FenceInst>(&i)) {
      memory(false, Align(), fence->getOrdering(), fence->getSyncScopeID());
    } else if (auto *exchange = dyn_cast<AtomicCmpXchgInst>(&i)) {
      memory(exchange->isVolatile(), exchange->getAlign(), exchange->getSuccessOrdering(), exchange->getSyncScopeID());
      number(static_cast<uint64_t>(exchange->getFailureOrdering()));
      number(exchange->isWeak());
    } else if (auto *update = dyn_cast<AtomicRMWInst>(&i)) {
      memory(update->isVolatile(), update->getAlign(), update->getOrdering(), update->getSyncScopeID());
      number(update->getOperation());
    } else if (auto *compare = dyn_cast<CmpInst>(&i)) {
      number(compare->getPredicate());
    } else if (auto *call = dyn_cast<CallBase>(&i)) {
      this->call(*call);
    } else if (auto *place = dyn_cast<GetElementPtrInst>(&i)) {
      type(place->getSourceElementType());
    } else if (auto *insert = dyn_cast<InsertValueInst>(&i)) {
      for (unsigned index : insert->indices()) number(index);
    } else if (auto *take = dyn_cast<ExtractValueInst>(&i)) {
      for (unsigned index : take->indices()) number(index);
    } else if (auto *shuffle = dyn_cast<ShuffleVectorInst>(&i)) {
      for (int index : shuffle->getShuffleMask()) number(static_cast<uint64_t>(index));
    } else if (auto *phi = dyn_cast<PHINode>(&i)) {
      for (const BasicBlock *block : phi->blocks()) value(*block);
    } else if (auto *pad = dyn_cast<LandingPadInst>(&i)) {
      number(pad->isCleanup());
      for (unsigned clause = 0; clause < pad->getNumClauses(); ++clause) number(pad->isCatch(clause));
    }
  }

  void memory(bool is_volatile, Align align, AtomicOrdering ordering, SyncScope::ID scope) {
    number(is_volatile);
    number(align.value());
    number(static_cast<uint64_t>(ordering));
    number(scope);
  }

  void call(const CallBase &call) {
    number(call.getCallingConv());
    type(call.getFunctionType());
    attributes(call.getAttributes());
    if (auto *plain = dyn_cast<CallInst>(&call)) number(plain->getTailCallKind());
    number(call.getNumOperandBundles());
    for (unsigned i = 0; i < call.getNumOperandBundles(); ++i) {
      OperandBundleUse bundle = call.getOperandBundleAt(i);
      text(bundle.getTagName());
      number(bundle.Inputs.size());
    }
  }

  void value(const Value &value) {
    number(value.getValueID());
    if (auto known = locals.find(&value); known != locals.end()) return number(known->second);
    if (auto *constant = dyn_cast<Constant>(&value)) return this->constant(*constant);
    if (auto *node = dyn_cast<MetadataAsValue>(&value)) return metadata(node->getMetadata());
    auto &assembly = cast<InlineAsm>(value);
    text(assembly.getAsmString());
    text(assembly.getConstraintString());
    number(assembly.hasSideEffects() | assembly.isAlignStack() << 1 | assembly.canThrow() << 2 | assembly.getDialect() << 3);
  }

  void constant(const Constant &constant) {
    number(constant.getValueID());
    type(constant.getType());
    if (auto *global = dyn_cast<GlobalValue>(&constant)) return this->global(*global);
    if (auto *integer = dyn_cast<ConstantInt>(&constant)) return wide(integer->getValue());
    if (auto *real = dyn_cast<ConstantFP>(&constant)) return wide(real->getValueAPF().bitcastToAPInt());
    if (auto *data = dyn_cast<ConstantDataSequential>(&constant)) return text(data->getRawDataValues());
    if (auto *label = dyn_cast<BlockAddress>(&constant)) return value(*label->getBasicBlock());
    if (auto *expression = dyn_cast<ConstantExpr>(&constant)) {
      number(expression->getOpcode());
      number(expression->getRawSubclassOptionalData());
      if (auto *place = dyn_cast<GEPOperator>(expression)) type(place->getSourceElementType());
    }
    number(constant.getNumOperands());
    for (const Use &operand : constant.operands()) this->constant(*cast<Constant>(operand));
  }

  void global(const GlobalValue &global) {
    if (&global == &function) return text("itself");
    if (!global.hasLocalLinkage()) return text(global.getName());
    auto *variable = dyn_cast<GlobalVariable>(&global);
    bool is_content = variable && variable->isConstant() && variable->hasGlobalUnnamedAddr() &&
                      variable->hasInitializer() && isa<ConstantData>(variable->getInitializer());
    if (is_content) {
      number(variable->getAlign().valueOrOne().value());
      return constant(*variable->getInitializer());
    }
    number(module.number);
    number(module.key(&global));
  }

  // Nodes can go in circles.
  void metadata(const Metadata *node) {
    auto [place, is_new] = nodes.try_emplace(node, nodes.size());
    number(place->second);
    if (!is_new || !node) return;
    number(node->getMetadataID());
    if (auto *string = dyn_cast<MDString>(node)) return text(string->getString());
    if (auto *constant = dyn_cast<ConstantAsMetadata>(node)) return this->constant(*constant->getValue());
    if (auto *local = dyn_cast<LocalAsMetadata>(node)) return value(*local->getValue());
    // Lines and types for debuggers do not change what the code does.
    if (isa<DINode, DILocation, DIExpression>(node)) return;
    if (auto *list = dyn_cast<MDNode>(node)) {
      number(list->getNumOperands());
      for (const MDOperand &operand : list->operands()) metadata(operand);
    }
  }

  // Contexts number kinds of their own as they meet them.
  StringRef kind_name(unsigned kind, const LLVMContext &context) {
    if (kinds.empty()) context.getMDKindNames(kinds);
    return kinds[kind];
  }

  const vk_module &module;
  const Function &function;
  SmallVector<StringRef, 64> kinds;
  SmallVector<uint8_t, 0> bytes;
  DenseMap<const Value *, uint64_t> locals;
  DenseMap<const Type *, uint64_t> types;
  DenseMap<const Metadata *, uint64_t> nodes;
};

} // namespace

uint64_t body_hash(const vk_module &module, const Function &function) { return Hasher(module, function).run(); }

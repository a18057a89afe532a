#ifndef TLSC_ORT_CUSTOM_OP_H_
#define TLSC_ORT_CUSTOM_OP_H_

#include <onnxruntime_c_api.h>

#include <cstdint>
#include <limits>
#include <memory>

#include "ort/attributes.h"
#include "ort/backend.h"
#include "ort/errors.h"
#include "ort/kernel_context.h"
#include "ort/shape_inference.h"

namespace tlsc::ort {

// The API version we are written against: the oldest runtime that works (1.21), whatever newer
// header we happen to be compiled with.
inline constexpr uint32_t kOrtApiVersion = 21;
static_assert(ORT_API_VERSION >= kOrtApiVersion, "needs onnxruntime_c_api.h of 1.21 or later");

// Presents an operator class to ONNX Runtime as the table of functions that it asks for. Op has
//   static constexpr const char* kName;
//   static constexpr std::array<ONNXTensorElementDataType, …> kInputTypes, kOutputTypes;
//   explicit Op(const KernelAttributes&);             one per node; refuses bad attributes
//   void Compute(const KernelContext&) const;         may run on several threads at once
//   static void InferOutputShape(ShapeInference&);
// and reports errors by throwing. An object must outlive every session that it is registered with.
template <typename Op>
class CustomOp final : public OrtCustomOp {
 public:
  explicit CustomOp(const OrtApi& api) : OrtCustomOp{}, api_(api) {
    version = kOrtApiVersion;
    GetName = [](const OrtCustomOp*) { return Op::kName; };
    GetExecutionProviderType = [](const OrtCustomOp*) { return kExecutionProvider; };
    GetStartVersion = [](const OrtCustomOp*) { return 1; };
    GetEndVersion = [](const OrtCustomOp*) { return std::numeric_limits<int>::max(); };

    GetInputTypeCount = [](const OrtCustomOp*) { return Op::kInputTypes.size(); };
    GetInputType = [](const OrtCustomOp*, size_t i) { return Op::kInputTypes[i]; };
    GetInputCharacteristic = [](const OrtCustomOp*, size_t i) {
      return SaysSomething(i) ? INPUT_OUTPUT_OPTIONAL : INPUT_OUTPUT_REQUIRED;
    };
    GetInputMemoryType = [](const OrtCustomOp*, size_t i) {
      return SaysSomething(i) ? OrtMemTypeCPUInput : OrtMemTypeDefault;
    };
    GetOutputTypeCount = [](const OrtCustomOp*) { return Op::kOutputTypes.size(); };
    GetOutputType = [](const OrtCustomOp*, size_t i) { return Op::kOutputTypes[i]; };
    GetOutputCharacteristic = [](const OrtCustomOp*, size_t) { return INPUT_OUTPUT_REQUIRED; };

    InferOutputShapeFn = [](const OrtCustomOp* op, OrtShapeInferContext* context) -> OrtStatusPtr {
      const OrtApi& ort = static_cast<const CustomOp*>(op)->api_;
      OrtStatus* status = Guard(ort, Op::kName, [&] {
        ShapeInference inference(ort, *context);
        Op::InferOutputShape(inference);
      });
      // ONNX Runtime (1.30 still) neither reads nor frees what we return here. Nothing is lost: the
      // shape stays unset, and creating the kernel meets the same error and does report it.
      if (status != nullptr) ort.ReleaseStatus(status);
      return nullptr;
    };
    CreateKernelV2 = [](const OrtCustomOp* op, const OrtApi*, const OrtKernelInfo* info,
                        void** kernel) -> OrtStatusPtr {
      const OrtApi& ort = static_cast<const CustomOp*>(op)->api_;
      return Guard(ort, Op::kName, [&] {
        *kernel = std::make_unique<Kernel>(Kernel{ort, Op(KernelAttributes(ort, *info))}).release();
      });
    };
    KernelComputeV2 = [](void* kernel, OrtKernelContext* context) -> OrtStatusPtr {
      const Kernel& self = *static_cast<const Kernel*>(kernel);
      return Guard(self.api, Op::kName,
                   [&] { self.op.Compute(KernelContext(self.api, *context)); });
    };
    KernelDestroy = [](void* kernel) { delete static_cast<Kernel*>(kernel); };

    // The rest stays null: the first versions of CreateKernel and KernelCompute, variadic inputs
    // and outputs, and outputs that share an input's memory, which our kernels do not allow.
  }

 private:
  // About the images, and is none.
  static constexpr bool SaysSomething(size_t input) {
    return Op::kInputTypes[input] == kElementType<int64_t>;
  }

  struct Kernel {
    const OrtApi& api;
    Op op;
  };

  const OrtApi& api_;
};

}  // namespace tlsc::ort

#endif  // TLSC_ORT_CUSTOM_OP_H_

#include "image_jobs.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/copy_image.h"
#include "kernels/fill_hidden.h"
#include "mapped_file.h"
#include "memory.h"
#include "promise_job.h"
#include "shown_memory.h"
#include "taken_bytes.h"
#include "tensor.h"

namespace tlsc {
namespace {

ONNXTensorElementDataType TypeOf(Element element) {
  switch (element) {
    case Element::kUint8:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
    case Element::kUint16:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16;
    case Element::kFloat16:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16;
    case Element::kFloat32:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

Element ElementOf(const std::string& type) {
  for (const Element element :
       {Element::kUint8, Element::kUint16, Element::kFloat16, Element::kFloat32}) {
    if (type == TypeName(TypeOf(element))) return element;
  }
  throw Error(ErrorCode::kInvalidArgument, "images have no elements of type " + type);
}

void Check(const Status& status) {
  if (status.ok()) return;
  throw Error(status.code == StatusCode::kOutOfMemory ? ErrorCode::kOutOfMemory
                                                      : ErrorCode::kInvalidArgument,
              status.message);
}

ImageLayout ReadLayout(const char* name, const Napi::Object& from) {
  const auto side = [&](const char* key) {
    return static_cast<size_t>(from.Get(key).ToNumber().Int64Value());
  };
  const ImageLayout layout = {ElementOf(from.Get("type").ToString()),
                              from.Get("channelsLast").ToBoolean(), side("channels"),
                              side("height"), side("width")};
  Check(CheckLayout(name, layout));
  return layout;
}

// All of it unless a part is named.
ImageRegion ReadRegion(const char* name, const Napi::Object& from, const ImageLayout& layout) {
  if (!from.Has("region")) return WholeOf(layout);
  const auto region = from.Get("region").As<Napi::Object>();
  const auto side = [&](const char* key) {
    return static_cast<size_t>(region.Get(key).ToNumber().Int64Value());
  };
  const ImageRegion read = {side("top"), side("left"), side("height"), side("width")};
  Check(CheckRegion(name, read, layout));
  return read;
}

using Row = std::array<float, kMaxImageChannels>;

Row ReadRow(const Napi::Value& from) {
  const auto list = from.As<Napi::Array>();
  Row row = {};
  for (uint32_t i = 0; i < list.Length() && i < row.size(); ++i)
    row[i] = list.Get(i).ToNumber().FloatValue();
  return row;
}

ImageMap ReadMap(const Napi::Object& from) {
  const auto mix = from.Get("mix").As<Napi::Array>();
  ImageMap map = {};
  for (uint32_t c = 0; c < mix.Length() && c < map.mix.size(); ++c)
    map.mix[c] = ReadRow(mix.Get(c));
  map.multiply = ReadRow(from.Get("multiply"));
  map.divide = ReadRow(from.Get("divide"));
  map.add = ReadRow(from.Get("add"));
  return map;
}

// On the thread of the job and a few more: to touch fresh memory for the first time takes longer
// than to write it, and is what threads share best.
class ImageLoop final : public ParallelLoop {
 public:
  Status Run(size_t count, const Task& task) override {
    constexpr size_t kMostThreads = 4;
    const size_t wanted = std::min<size_t>(std::thread::hardware_concurrency(), kMostThreads);
    std::atomic<size_t> next = 0;
    const auto work = [&] {
      for (size_t i = next++; i < count; i = next++) task(i);
    };
    std::vector<std::thread> others;
    try {
      others.reserve(wanted);
      // Small images are done before a thread has begun.
      for (size_t i = 1; i < std::min(wanted, count / kTasksPerThread); ++i)
        others.emplace_back(work);
    } catch (const std::exception&) {
      // As many as there could be.
    }
    work();
    for (std::thread& other : others) other.join();
    return {};
  }

 private:
  static constexpr size_t kTasksPerThread = 16;
};

Napi::Object ToJs(Napi::Env env, const ImageSummary& summary) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("finite", summary.finite);
  result.Set("least", summary.least);
  result.Set("greatest", summary.greatest);
  result.Set("mean", summary.mean);
  result.Set("outside", summary.outside);
  return result;
}

// An image to be read, in place where its memory cannot go or is handed over, else copied first.
class Source {
 public:
  explicit Source(const Napi::Object& from)
      : layout_(ReadLayout("the source", from)), region_(ReadRegion("the source", from, layout_)) {
    const Napi::Value array = from.Get("data");
    const auto [bytes, size] = BytesOf(array);
    if (size != ByteSize(layout_)) {
      throw Error(ErrorCode::kInvalidArgument, "the source's layout does not fit its data of " +
                                                   std::to_string(size) + " bytes");
    }
    owner_ = OwnerOf(bytes);
    if (owner_ == nullptr && !from.Get("isHandedOver").ToBoolean()) {
      const std::shared_ptr<void> copy = NewMemory(size);
      taken_ = TakenBytes("the source", array, copy.get());
      data_ = copy.get();
      owner_ = copy;
      return;
    }
    data_ = bytes;
    in_place_ = Napi::Persistent(array.As<Napi::Object>());
  }

  const ImageLayout& layout() const { return layout_; }
  const ImageRegion& region() const { return region_; }
  const void* data() const { return data_; }

  bool Prepare() {
    size_t most = kCopiedPerTurn;
    return taken_.Copy(most);
  }

  void Unpin() {
    taken_.Unpin();
    in_place_.Reset();
    owner_.reset();
  }

 private:
  ImageLayout layout_;
  ImageRegion region_;
  const void* data_ = nullptr;
  std::shared_ptr<const void> owner_;  // where the memory is ours
  Napi::ObjectReference in_place_;
  TakenBytes taken_;
};

// Copies take milliseconds.
class ImageJob : public PromiseJob {
 public:
  using PromiseJob::PromiseJob;

 private:
  Executor& executor() const final { return Executor::Brief(); }
};

class CopyImageJob final : public ImageJob {
 public:
  CopyImageJob(Napi::Env env, const Napi::Object& source, const Napi::Object& map,
               const Napi::Object& target, bool summarizes)
      : ImageJob(env),
        source_(source),
        to_layout_(ReadLayout("the target", target)),
        to_region_(ReadRegion("the target", target, to_layout_)),
        map_(ReadMap(map)) {
    if (summarizes) summary_.emplace();
    if (target.Has("data")) ReadTarget(target.Get("data"));
  }

 private:
  bool Prepare(Napi::Env) override { return source_.Prepare(); }

  // Where there is memory to write to. No other will do than ours, which JavaScript cannot take
  // away.
  void ReadTarget(const Napi::Value& data) {
    const auto [bytes, size] = BytesOf(data);
    target_owner_ = OwnerOf(bytes);
    if (target_owner_ == nullptr || size != ByteSize(to_layout_)) {
      throw Error(ErrorCode::kInvalidArgument,
                  "the target's data is no memory of the addon's that its layout fits");
    }
    to_ = const_cast<void*>(bytes);
    target_ = Napi::Persistent(data.As<Napi::Object>());
  }

  void Execute() override {
    if (to_ == nullptr) {
      made_ = NewMemory(ByteSize(to_layout_));
      to_ = made_.get();
    }
    ImageLoop loop;
    Check(CopyImageRegion(source_.data(), source_.layout(), source_.region(), map_, loop, to_,
                          to_layout_, to_region_, summary_ ? &*summary_ : nullptr));
    DropMappedPages(source_.data());
  }

  Napi::Value Result(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    if (made_ != nullptr) {
      result.Set("data",
                 TypedArrayOver(env, TypeOf(to_layout_.element), made_, to_, ByteSize(to_layout_)));
    }
    if (summary_) result.Set("summary", ToJs(env, *summary_));
    return result;
  }

  void Unpin() override {
    source_.Unpin();
    target_.Reset();
    target_owner_.reset();
  }

  Source source_;
  ImageLayout to_layout_;
  ImageRegion to_region_;
  ImageMap map_;
  void* to_ = nullptr;
  std::shared_ptr<void> made_;
  std::shared_ptr<const void> target_owner_;
  Napi::ObjectReference target_;  // empty where memory is made
  std::optional<ImageSummary> summary_;
};

// The same without a copy.
class SummarizeJob final : public ImageJob {
 public:
  SummarizeJob(Napi::Env env, const Napi::Object& source, const Napi::Object& map,
               const Napi::Object& target)
      : ImageJob(env),
        source_(source),
        to_layout_(ReadLayout("the target", target)),
        map_(ReadMap(map)) {}

 private:
  bool Prepare(Napi::Env) override { return source_.Prepare(); }

  void Execute() override {
    ImageLoop loop;
    Check(CopyImageRegion(source_.data(), source_.layout(), source_.region(), map_, loop, nullptr,
                          to_layout_, WholeOf(to_layout_), &summary_));
    DropMappedPages(source_.data());
  }

  Napi::Value Result(Napi::Env env) override { return ToJs(env, summary_); }
  void Unpin() override { source_.Unpin(); }

  Source source_;
  ImageLayout to_layout_;
  ImageMap map_;
  ImageSummary summary_ = {};
};

class FillHiddenJob final : public ImageJob {
 public:
  FillHiddenJob(Napi::Env env, const Napi::Object& planes, const Napi::Value& alpha)
      : ImageJob(env), layout_(ReadLayout("the planes", planes)) {
    const Bytes pixels = Take(planes.Get("data"));
    const Bytes mask = Take(alpha);
    const size_t area = layout_.height * layout_.width;
    is_wide_ = mask.size == area * sizeof(uint16_t);
    if (layout_.element != Element::kFloat32 || layout_.channels_last ||
        pixels.size != ByteSize(layout_) || (!is_wide_ && mask.size != area)) {
      throw Error(ErrorCode::kInvalidArgument,
                  "planes of float32 and an alpha channel of their size are to be given");
    }
    planes_ = static_cast<float*>(const_cast<void*>(pixels.data));
    alpha_ = mask.data;
  }

 private:
  Bytes Take(const Napi::Value& array) {
    const Bytes bytes = BytesOf(array);
    owners_.push_back(OwnerOf(bytes.data));
    if (owners_.back() == nullptr)
      throw Error(ErrorCode::kInvalidArgument, "not the memory of a copy of an image");
    arrays_.push_back(Napi::Persistent(array.As<Napi::Object>()));
    return bytes;
  }

  void Execute() override {
    const auto [element, last, channels, height, width] = layout_;
    Check(is_wide_
              ? FillHidden(planes_, channels, height, width, static_cast<const uint16_t*>(alpha_))
              : FillHidden(planes_, channels, height, width, static_cast<const uint8_t*>(alpha_)));
  }

  Napi::Value Result(Napi::Env env) override { return env.Undefined(); }

  void Unpin() override {
    arrays_.clear();
    owners_.clear();
  }

  ImageLayout layout_;
  bool is_wide_ = false;
  float* planes_ = nullptr;
  const void* alpha_ = nullptr;
  std::vector<std::shared_ptr<const void>> owners_;
  std::vector<Napi::ObjectReference> arrays_;
};

}  // namespace

Napi::Value FillHiddenFromJs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    return Context::Of(env).Start(
        std::make_shared<FillHiddenJob>(env, info[0].As<Napi::Object>(), info[1]));
  });
}

Napi::Value SummarizeImageFromJs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    return Context::Of(env).Start(std::make_shared<SummarizeJob>(
        env, info[0].As<Napi::Object>(), info[1].As<Napi::Object>(), info[2].As<Napi::Object>()));
  });
}

void Discard(const Napi::CallbackInfo& info) {
  const Napi::Value array = info[0];
  if (!array.IsTypedArray() || OwnerOf(BytesOf(array).data) == nullptr) return;
  napi_value buffer = nullptr;
  napi_get_typedarray_info(info.Env(), array, nullptr, nullptr, nullptr, &buffer, nullptr);
  napi_detach_arraybuffer(info.Env(), buffer);
}

Napi::Value AllocateImage(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    const ImageLayout layout = ReadLayout("the image", info[0].As<Napi::Object>());
    const std::shared_ptr<void> memory = NewMemory(ByteSize(layout));
    return TypedArrayOver(env, TypeOf(layout.element), memory, memory.get(), ByteSize(layout));
  });
}

Napi::Value MapFileFromJs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    const auto [memory, size] = MapFile(info[0].ToString());
    return TypedArrayOver(env, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, memory, memory.get(), size);
  });
}

Napi::Value CopyImageFromJs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return WithJsErrors(env, [&]() -> Napi::Value {
    return Context::Of(env).Start(
        std::make_shared<CopyImageJob>(env, info[0].As<Napi::Object>(), info[1].As<Napi::Object>(),
                                       info[2].As<Napi::Object>(), info[3].ToBoolean()));
  });
}

}  // namespace tlsc

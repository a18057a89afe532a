#include "kernels/local_transposed_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <string>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/local_transposed_attention.cc"
#include <hwy/foreach_target.h>

#include "kernels/attention_block.h"
#include "kernels/bands.h"
#include "kernels/local_transposed_attention-inl.h"
#include "kernels/pointwise_block.h"
#include "kernels/pointwise_conv-inl.h"
#include "kernels/scratch.h"
#include "kernels/target.h"
#include "kernels/widened.h"
#include "kernels/window_cells.h"

#if HWY_ONCE
namespace tlsc {
namespace {

template <typename T>
auto ChooseSumPart() {
  HWY_EXPORT_T(SumPartTable, SumPart<T>);
  return HWY_DYNAMIC_POINTER_T(SumPartTable);
}

template <typename T>
auto ChooseConvolveBlock() {
  HWY_EXPORT_T(ConvolveBlockTable, ConvolveBlock<T>);
  return HWY_DYNAMIC_POINTER_T(ConvolveBlockTable);
}

HWY_EXPORT(ProjectHead);

// Queries that a task attends for.
constexpr size_t kBandQueries = 16;

// What a task sums: some for each of many threads, but no fewer than make what they add up to small
// beside them, and no more than float32 adds up well, block by block.
constexpr size_t kLeastPartPixels = size_t{1} << 11;
constexpr size_t kMostPartPixels = size_t{1} << 15;

size_t PartPixels(const NchwShape& x) {
  return std::clamp(x.height * x.width / kMaxTasks, kLeastPartPixels, kMostPartPixels);
}

// The windows of a plane, and the parts that they consist of.
struct WindowedPlane {
  WindowedPlane(const WindowTiles& down, const WindowTiles& across, size_t part_pixels)
      : vertical(down), horizontal(across), parts(down, across, part_pixels) {}

  size_t windows() const { return vertical.count * horizontal.count; }

  // Calls visit(part) for the parts of a window.
  template <typename Visit>
  void ForEachPart(size_t window, const Visit& visit) const {
    const size_t row = window / horizontal.count;
    const size_t column = window % horizontal.count;
    parts.ForEachOf({vertical.Begin(row), vertical.End(row)},
                    {horizontal.Begin(column), horizontal.End(column)}, visit);
  }

  const WindowTiles vertical;
  const WindowTiles horizontal;
  const WindowParts parts;
};

// One call.
template <typename T>
struct Layer {
  const T* x;
  const float* temperature;
  // Of the convolution behind it.
  const float* weights;
  const float* bias;
  const float* gamma;
  const T* residual;  // null for none
  T* y;
  NchwShape shape;  // of x
  size_t outputs;
  size_t heads;
  float epsilon;

  size_t all() const { return shape.channels / 3; }  // channels of queries
  size_t channels() const { return all() / heads; }  // of a head
  size_t plane() const { return shape.height * shape.width; }
  size_t matrix() const { return channels() * MatrixStride(channels()); }
};

// What is known of an image: of each part and head, and of each window and head.
class AttentionTables {
 public:
  AttentionTables(RowCutter& cutter, size_t parts, size_t windows, size_t heads, size_t channels)
      : heads_(heads),
        channels_(channels),
        matrix_(channels * MatrixStride(channels)),
        products_(cutter.Cut<float>(parts * heads * matrix_)),
        squares_(cutter.Cut<double>(parts * heads * 2 * channels)),
        attention_(cutter.Cut<float>(windows * heads * matrix_)) {}

  AttentionSums Sums(size_t part, size_t head) const {
    const size_t index = part * heads_ + head;
    double* squares = squares_ + index * 2 * channels_;
    return {products_ + index * matrix_, squares, squares + channels_};
  }
  float* Attention(size_t window, size_t head) const {
    return attention_ + (window * heads_ + head) * matrix_;
  }

 private:
  size_t heads_;
  size_t channels_;
  size_t matrix_;
  float* products_;
  double* squares_;
  float* attention_;
};

template <typename T>
Status SumParts(const Layer<T>& layer, const WindowedPlane& windowed, const T* image,
                const AttentionTables& tables, ParallelLoop& loop) {
  const auto sum = ChooseSumPart<T>();
  const size_t channels = layer.channels();
  const auto cut = [&](RowCutter& cutter) { return AttentionRows(cutter, channels); };
  const size_t tasks = windowed.parts.count() * layer.heads;
  return RunWithScratch(loop, tasks, cut, [&](size_t task, const AttentionRows& rows) {
    const size_t head = task % layer.heads;
    const PlanePart& part = windowed.parts[task / layer.heads];
    const T* queries = image + head * channels * layer.plane() +
                       part.rows.begin * layer.shape.width + part.columns.begin;
    sum({queries, queries + layer.all() * layer.plane(), channels, layer.plane(), layer.shape.width,
         part.width(), part.pixels()},
        rows, tables.Sums(task / layer.heads, head));
  });
}

// Turns the scores of a query into its attention.
void Softmax(const double* scores, size_t count, float* attention) {
  double most = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < count; ++i) most = std::max(most, scores[i]);
  double sum = 0.0;
  for (size_t i = 0; i < count; ++i) {
    attention[i] = std::exp(static_cast<float>(scores[i] - most));
    sum += double{attention[i]};
  }
  const float share = static_cast<float>(1.0 / sum);
  for (size_t i = 0; i < count; ++i) attention[i] *= share;
}

// The lengths of a head's keys, and the scores of a query.
struct ScoreRows {
  ScoreRows(RowCutter& cutter, size_t channels)
      : lengths(cutter.Cut<double>(channels)), scores(cutter.Cut<double>(channels)) {}

  double* lengths;
  double* scores;
};

template <typename T>
Status Attend(const Layer<T>& layer, const WindowedPlane& windowed, const AttentionTables& tables,
              ParallelLoop& loop) {
  const size_t channels = layer.channels();
  const size_t bands = (channels + kBandQueries - 1) / kBandQueries;
  const double least = double{layer.epsilon};
  const auto cut = [&](RowCutter& cutter) { return ScoreRows(cutter, channels); };
  const size_t tasks = windowed.windows() * layer.heads * bands;
  return RunWithScratch(loop, tasks, cut, [&](size_t task, const ScoreRows& rows) {
    const size_t window = task / bands / layer.heads;
    const size_t head = task / bands % layer.heads;
    std::fill(rows.lengths, rows.lengths + channels, 0.0);
    windowed.ForEachPart(window, [&](size_t part) {
      const AttentionSums sums = tables.Sums(part, head);
      for (size_t j = 0; j < channels; ++j) rows.lengths[j] += sums.keys[j];
    });
    for (size_t j = 0; j < channels; ++j) {
      rows.lengths[j] = std::max(std::sqrt(rows.lengths[j]), least);
    }
    const size_t first = task % bands * kBandQueries;
    for (size_t i = first; i < std::min(first + kBandQueries, channels); ++i) {
      double squares = 0.0;
      std::fill(rows.scores, rows.scores + channels, 0.0);
      windowed.ForEachPart(window, [&](size_t part) {
        const AttentionSums sums = tables.Sums(part, head);
        const float* products = sums.products + i * MatrixStride(channels);
        squares += sums.queries[i];
        for (size_t j = 0; j < channels; ++j) rows.scores[j] += double{products[j]};
      });
      const double length = std::max(std::sqrt(squares), least);
      const double factor = double{layer.temperature[head]} / length;
      for (size_t j = 0; j < channels; ++j) rows.scores[j] *= factor / rows.lengths[j];
      float* attention = tables.Attention(window, head) + i * MatrixStride(channels);
      Softmax(rows.scores, channels, attention);
      // What means and tiles read besides.
      std::fill(attention + channels, attention + MatrixStride(channels), 0.0f);
    }
  });
}

// What a part's values are convolved with.
struct PartRows {
  PartRows(RowCutter& cutter, size_t matrix, size_t projected, size_t channels, size_t outputs,
           size_t pixels)
      : mean(cutter.Cut<float>(matrix)),
        weights(cutter.Cut<float>(projected)),
        zeros(cutter.Cut<float>(outputs)),
        convolved(cutter, channels, outputs, pixels) {}

  float* mean;     // attention of one head
  float* weights;  // of the convolution behind it, times the attention
  float* zeros;
  PointwiseRows convolved;
};

// The mean of a head's attention in the windows that hold a part; where that is one, its own.
template <typename T>
const float* MeanAttention(const Layer<T>& layer, const WindowedPlane& windowed,
                           const PlanePart& part, size_t head, const AttentionTables& tables,
                           float* mean) {
  const WindowTiles& vertical = windowed.vertical;
  const WindowTiles& horizontal = windowed.horizontal;
  const Segment down = {vertical.FirstOver(part.rows.begin), vertical.EndOver(part.rows.begin)};
  const Segment across = {horizontal.FirstOver(part.columns.begin),
                          horizontal.EndOver(part.columns.begin)};
  const size_t count = (down.end - down.begin) * (across.end - across.begin);
  const float* first = tables.Attention(down.begin * horizontal.count + across.begin, head);
  if (count == 1) return first;
  const size_t matrix = layer.matrix();
  std::fill(mean, mean + matrix, 0.0f);
  for (size_t row = down.begin; row < down.end; ++row) {
    for (size_t column = across.begin; column < across.end; ++column) {
      const float* one = tables.Attention(row * horizontal.count + column, head);
      for (size_t i = 0; i < matrix; ++i) mean[i] += one[i];
    }
  }
  const float share = 1.0f / static_cast<float>(count);
  for (size_t i = 0; i < matrix; ++i) mean[i] *= share;
  return mean;
}

// Calls visit(first, count) for the pixels of a part that lie in line, no more than `most` at once.
template <typename Visit>
void ForEachSpan(const PlanePart& part, size_t width, size_t most, const Visit& visit) {
  const bool is_whole = part.width() == width;
  const size_t lines = is_whole ? 1 : part.rows.end - part.rows.begin;
  const size_t length = is_whole ? part.pixels() : part.width();
  for (size_t line = 0; line < lines; ++line) {
    const size_t begin = (part.rows.begin + line) * width + part.columns.begin;
    for (size_t done = 0; done < length; done += most) {
      visit(begin + done, std::min(most, length - done));
    }
  }
}

template <typename T>
Status ConvolveParts(const Layer<T>& layer, const WindowedPlane& windowed, size_t image,
                     const AttentionTables& tables, ParallelLoop& loop) {
  const auto convolve = ChooseConvolveBlock<T>();
  const auto project = HWY_DYNAMIC_POINTER(ProjectHead);
  const bool projects = layer.residual != nullptr;
  const size_t channels = layer.channels();
  const size_t all = layer.all();
  const size_t plane = layer.plane();
  const size_t read = projects ? all : channels;
  const size_t written = projects ? layer.outputs : channels;
  const size_t most = std::min(BlockPixels(read + written), plane);
  // Of no channels there is no x.
  const T* values = all == 0 ? nullptr : layer.x + (image * 3 + 2) * all * plane;
  const size_t y_at = image * layer.outputs * plane;
  const auto cut = [&](RowCutter& cutter) {
    return PartRows(cutter, layer.matrix(), projects ? layer.outputs * all : 0, read, written,
                    most);
  };
  return RunWithScratch(loop, windowed.parts.count(), cut, [&](size_t task, const PartRows& rows) {
    const PlanePart& part = windowed.parts[task];
    std::fill(rows.zeros, rows.zeros + written, 0.0f);
    PointwiseLayer<T> behind = {nullptr,       rows.weights, all,         layer.bias,
                                layer.outputs, false,        layer.gamma, nullptr};
    const auto convolve_from = [&](size_t channel) {
      ForEachSpan(part, layer.shape.width, most, [&](size_t first, size_t count) {
        PointwiseLayer<T> here = behind;
        const size_t at = y_at + channel * plane + first;
        if (projects) here.residual = layer.residual + at;
        const T* from = values == nullptr ? nullptr : values + channel * plane + first;
        convolve({from, layer.y + at, read, plane, count, false}, here, rows.convolved);
      });
    };
    for (size_t head = 0; head < layer.heads; ++head) {
      const float* mean = MeanAttention(layer, windowed, part, head, tables, rows.mean);
      if (projects) {
        const size_t first = head * channels;
        project(
            {mean, channels, layer.weights + first, all, layer.outputs, rows.weights + first, all});
      } else {
        behind = {nullptr, mean,   MatrixStride(channels), rows.zeros, channels, false,
                  nullptr, nullptr};
        convolve_from(head * channels);
      }
    }
    if (projects) convolve_from(0);
  });
}

// Memory that rows are cut of, beginning with a cache line. Throws std::bad_alloc.
class TableMemory {
 public:
  explicit TableMemory(size_t bytes) : memory_(::operator new(bytes, kLine)) {}
  ~TableMemory() { ::operator delete(memory_, kLine); }
  TableMemory(const TableMemory&) = delete;
  TableMemory& operator=(const TableMemory&) = delete;

  std::byte* get() const { return static_cast<std::byte*>(memory_); }

 private:
  static constexpr std::align_val_t kLine{64};
  void* memory_;
};

// Whether what is kept of windows and parts is no more than a few times X, or little. Windows that
// are small for their number of channels have more attention than pixels; a single one has no more
// than any way to attend needs.
template <typename T>
bool IsWithinBounds(const Layer<T>& layer, const WindowTiles& vertical,
                    const WindowTiles& horizontal) {
  constexpr double kLittle = 0x1p26;
  constexpr double kTimes = 4.0;
  if (vertical.count == 1 && horizontal.count == 1) return true;
  const auto number = [](size_t value) { return static_cast<double>(value); };
  const double pixels = number(layer.plane());
  const double windows = number(vertical.count) * number(horizontal.count);
  const double rectangles =
      (2.0 * number(vertical.count) + 1.0) * (2.0 * number(horizontal.count) + 1.0);
  const double parts = rectangles + 2.0 * pixels / number(kLeastPartPixels);
  const double bytes =
      (windows + parts) * number(layer.heads) * number(layer.matrix()) * sizeof(float);
  return bytes <= kLittle ||
         bytes <= kTimes * pixels * number(layer.shape.channels) * sizeof(float);
}

template <typename T>
Status Run(const Layer<T>& layer, const KernelShape& kernel_shape, const PlanePlace& place,
           ParallelLoop& loop) {
  const WindowTiles vertical = MakeWindowTiles(layer.shape.height, kernel_shape[0], place.vertical);
  const WindowTiles horizontal =
      MakeWindowTiles(layer.shape.width, kernel_shape[1], place.horizontal);
  if (!IsWithinBounds(layer, vertical, horizontal)) {
    return InvalidArgument(
        "kernel_shape",
        "windows that are not smaller than a head has channels, " +
            std::to_string(layer.channels()),
        "[" + std::to_string(kernel_shape[0]) + ", " + std::to_string(kernel_shape[1]) + "]");
  }
  const WindowedPlane windowed(vertical, horizontal, PartPixels(layer.shape));
  const size_t parts = windowed.parts.count();
  const size_t windows = windowed.windows();
  const size_t channels = layer.channels();
  const auto cut = [&](RowCutter& cutter) {
    return AttentionTables(cutter, parts, windows, layer.heads, channels);
  };
  RowCutter counter;
  cut(counter);
  const TableMemory memory(counter.bytes());
  RowCutter cutter(memory.get());
  const AttentionTables tables = cut(cutter);
  for (size_t image = 0; image < layer.shape.batch; ++image) {
    if (channels > 0) {
      const T* x = layer.x + image * layer.shape.channels * layer.plane();
      if (Status status = SumParts(layer, windowed, x, tables, loop); !status.ok()) return status;
      if (Status status = Attend(layer, windowed, tables, loop); !status.ok()) return status;
    }
    if (Status status = ConvolveParts(layer, windowed, image, tables, loop); !status.ok())
      return status;
  }
  return {};
}

}  // namespace

template <typename T>
Status LocalTransposedAttention(const LocalTransposedAttentionTensors<T>& t,
                                const NchwShape& x_shape, size_t outputs,
                                const LocalTransposedAttentionParams& params, ParallelLoop& loop,
                                T* y, const PlanePlace& place) {
  if (Status status = CheckLocalTransposedAttention(t, x_shape, outputs, params, y, place);
      !status.ok()) {
    return status;
  }
  if (*ElementCount({x_shape.batch, outputs, x_shape.height, x_shape.width}) == 0) return {};
  if (Status status = ChooseTarget(); !status.ok()) return status;
  try {
    std::vector<float> room[4];
    const size_t channels = x_shape.channels / 3;
    const bool projects = t.residual != nullptr;
    const Layer<T> layer = {t.x,
                            Widened(t.temperature, params.heads, room[0]),
                            projects ? Widened(t.weights, outputs * channels, room[1]) : nullptr,
                            projects ? Widened(t.bias, outputs, room[2]) : nullptr,
                            projects ? Widened(t.gamma, outputs, room[3]) : nullptr,
                            t.residual,
                            y,
                            x_shape,
                            outputs,
                            params.heads,
                            params.epsilon};
    return Run(layer, params.kernel_shape, place, loop);
  } catch (const std::bad_alloc&) {
    return {StatusCode::kOutOfMemory, "no memory for the attention of windows"};
  }
}

template Status LocalTransposedAttention(const LocalTransposedAttentionTensors<float>&,
                                         const NchwShape&, size_t,
                                         const LocalTransposedAttentionParams&, ParallelLoop&,
                                         float*, const PlanePlace&);
template Status LocalTransposedAttention(const LocalTransposedAttentionTensors<Float16>&,
                                         const NchwShape&, size_t,
                                         const LocalTransposedAttentionParams&, ParallelLoop&,
                                         Float16*, const PlanePlace&);

}  // namespace tlsc
#endif  // HWY_ONCE
